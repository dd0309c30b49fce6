"""docker's folder: read, never written, and never a byte of `private`."""

from __future__ import annotations

from pathlib import Path

import pytest

from signing.trust.errors import InvalidInput
from signing.trust.evidence.trust_folder import remembered
from signing.trust.notary.gun import Gun

DATA = b'{"signed":{"version":1},"signatures":[]}'
SECRET = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"


@pytest.fixture
def trust_dir(tmp_path: Path) -> Path:
    for name in (
        "tuf/reg.example:5000/team/app/metadata/root.json",
        "tuf/reg.example:5000/team/app/metadata/targets/alice.json",
        "tuf/reg.example:5000/team/metadata/timestamp.json",
        "tuf/reg.example:5000/team/app/changelist/1.change",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA)
    private = tmp_path / "private"
    private.mkdir()
    (private / "key.key").write_bytes(SECRET)
    return tmp_path


def test_every_remembered_repository_is_found(trust_dir: Path) -> None:
    assert remembered(trust_dir) == {
        Gun("reg.example:5000/team"): {"timestamp": DATA},
        Gun("reg.example:5000/team/app"): {"root": DATA, "targets/alice": DATA},
    }


@pytest.mark.parametrize("name", ["snapshot.json", "targets.json", "targets/mallory.json"])
def test_no_way_leads_from_metadata_to_a_private_key(trust_dir: Path, name: str) -> None:
    before = remembered(trust_dir)
    metadata = trust_dir / "tuf/reg.example:5000/team/app/metadata"
    (metadata / name).symlink_to(trust_dir / "private/key.key")
    (metadata / "targets/linked").symlink_to(trust_dir / "private")
    (trust_dir / "tuf/linked").symlink_to(trust_dir / "private")

    assert remembered(trust_dir) == before


@pytest.mark.parametrize("data", [SECRET, b"", b"{}", b"[]"])
def test_what_is_not_signed_metadata_is_left_out(trust_dir: Path, data: bytes) -> None:
    before = remembered(trust_dir)
    (trust_dir / "tuf/reg.example:5000/team/app/metadata/snapshot.json").write_bytes(data)

    assert remembered(trust_dir) == before


def test_names_no_role_has_are_left_out(trust_dir: Path) -> None:
    before = remembered(trust_dir)
    (trust_dir / "tuf/reg.example:5000/team/app/metadata/Other.json").write_bytes(DATA)

    assert remembered(trust_dir) == before


def test_a_folder_without_trust_data_is_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no trust data"):
        remembered(tmp_path)
