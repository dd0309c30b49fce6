"""Secrets are made once, for one user, and the two halves fit."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from trustui.embedded import secrets


def test_files_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = secrets.ensure(tmp_path)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.name for file in folder.iterdir()} == {
        "secret_key",
        "sealing_public_keys",
        "signing_worker_key",
        "docker_worker_key",
        "notices_worker_key",
        "master_key",
        "trust_server_master_key",
        "audit_key",
        "audit_public_key",
    }
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    def contents() -> dict[str, str]:
        return {file.name: file.read_text() for file in secrets.ensure(tmp_path).iterdir()}

    assert contents() == contents()


def test_the_public_halves_belong_to_the_workers(tmp_path: Path) -> None:
    folder = secrets.ensure(tmp_path)
    public = json.loads((folder / "sealing_public_keys").read_text())
    for worker in ("signing", "docker"):
        private = base64.b64decode((folder / f"{worker}_worker_key").read_text())
        expected = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        assert base64.b64decode(public[worker]) == expected
    assert public["signing"] != public["docker"]


def test_master_keys_differ_and_are_32_bytes(tmp_path: Path) -> None:
    folder = secrets.ensure(tmp_path)
    keys = [base64.b64decode((folder / name).read_text()) for name in secrets.MASTER_KEYS]
    assert [len(key) for key in keys] == [32, 32]
    assert keys[0] != keys[1]
