"""Rotate keys: after ours, clients of the Go tools that remember the old root follow; after theirs, we do."""

from __future__ import annotations

import pytest

from tests.interop.verbs import Home
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli

ROTATIONS = [
    ("root",),
    ("targets",),
    ("snapshot",),
    ("snapshot", "--to-server"),
    ("timestamp", "--to-server"),
]
TITLES = ["root", "targets", "snapshot to the client", "snapshot on the server", "timestamp"]


@pytest.mark.parametrize("rotation", ROTATIONS, ids=TITLES)
def test_docker_and_notary_follow_our_rotation(
    rotation: tuple[str, ...], signed: Home, consumer: DockerCli, notary_cli: NotaryCli
) -> None:
    assert "v1" in notary_cli.list(signed.gun), "it remembers the root before"

    (row,) = signed.json("key", "rotate", signed.gun, *rotation, "--yes")

    assert row["published"]["root"] == 2
    assert "v1" in notary_cli.list(signed.gun)
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.agrees()
    signed.sign("v2")
    assert "v2" in notary_cli.list(signed.gun)
    signed.docker.add_signer("carol", signed.key("carol"), signed.gun).succeeded()


@pytest.mark.parametrize("rotation", ROTATIONS, ids=TITLES)
def test_we_follow_notarys_rotation(rotation: tuple[str, ...], signed: Home) -> None:
    signed.run("verify", f"{signed.gun}:v1").succeeded()

    signed.notary.rotate(signed.gun, rotation[0], to_server="--to-server" in rotation).succeeded()

    signed.run("verify", f"{signed.gun}:v1").succeeded()
    signed.agrees()
    signed.run("signer", "add", "--key", str(signed.key("carol")), "carol", signed.gun).succeeded()
    signed.run("witness", signed.gun, "releases").succeeded()
    signed.agrees()


def test_clients_several_roots_behind_follow(signed: Home, consumer: DockerCli, notary_cli: NotaryCli) -> None:
    notary_cli.list(signed.gun)

    for _ in range(3):
        signed.run("key", "rotate", signed.gun, "root", "--yes").succeeded()

    assert "v1" in notary_cli.list(signed.gun)
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()


def test_rotations_by_turns(signed: Home) -> None:
    signed.run("key", "rotate", signed.gun, "root", "--yes").succeeded()
    signed.notary.rotate(signed.gun, "root").succeeded()
    signed.run("key", "rotate", signed.gun, "targets").succeeded()
    signed.notary.rotate(signed.gun, "targets").succeeded()
    signed.run("key", "rotate", signed.gun, "snapshot").succeeded()
    signed.notary.rotate(signed.gun, "snapshot", to_server=True).succeeded()
    signed.sign("v2")
    signed.agrees()


def test_a_root_key_with_a_new_certificate(signed: Home, consumer: DockerCli) -> None:
    """How the end of the certificate is put off, without a new key to keep."""
    (root,) = signed.key_ids("root")

    signed.run("key", "rotate", signed.gun, "root", "--key", root, "--yes").succeeded()

    assert signed.key_ids("root") == [root]
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.notary.rotate(signed.gun, "timestamp", to_server=True).succeeded()


def test_old_keys_do_nothing_any_more(signed: Home) -> None:
    (old,) = signed.key_ids("targets")
    text = (signed.docker.private_dir / f"{old}.key").read_text()
    signed.run("key", "rotate", signed.gun, "targets").succeeded()
    assert old not in signed.key_ids("targets")

    for key_id in signed.key_ids("targets"):
        (signed.docker.private_dir / f"{key_id}.key").unlink()
    (signed.docker.private_dir / f"{old}.key").write_text(text)
    (signed.docker.private_dir / f"{old}.key").chmod(0o600)

    refused = signed.run("signer", "add", "--key", str(signed.key("carol")), "carol", signed.gun).failed()
    assert "not at hand" in refused.stderr


# private keys


def test_keys_go_to_notary_and_come_back(signed: Home, notary_cli: NotaryCli) -> None:
    file, back = signed.docker.home / "ours.pem", signed.docker.home / "theirs.pem"
    signed.run("key", "export", "-o", str(file)).succeeded()

    notary_cli.run("key", "import", str(file)).succeeded()
    notary_cli.run("key", "export", "-o", str(back)).succeeded()
    back.chmod(0o600)

    elsewhere = ["--trust-dir", str(signed.docker.home / "elsewhere")]
    signed.run("key", "import", str(back), *elsewhere).succeeded()
    assert signed.run("key", "list", *elsewhere).stdout == signed.run("key", "list").stdout
    notary_cli.run("witness", signed.gun, "targets/releases", "-p").succeeded()


def test_docker_opens_a_key_by_its_new_passphrase(signed: Home) -> None:
    for role in ("alice", "bob"):
        signed.run("key", "passwd", role, TRUSTCTL_NEW_PASSPHRASE="another passphrase of a test").succeeded()
    signed.docker.make_image(f"{signed.gun}:v2", "two")
    signed.docker.sign(f"{signed.gun}:v2").failed()

    changed = signed.docker.__class__(
        **{
            **{name: getattr(signed.docker, name) for name in signed.docker.__slots__},
            "repository_passphrase": "another passphrase of a test",
        }
    )
    changed.sign(f"{signed.gun}:v2").succeeded()
