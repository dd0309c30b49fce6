"""What the real docker and notary wrote, we read: the same JSON and the same text, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signing.trust.errors import NoTrustData
from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli
from tests.parts.ours import OurClient

Scene = Callable[[DockerCli, str], None]


def unsigned(docker: DockerCli, gun: str) -> None:
    """A repository with a signer and no tag."""
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()


def one_signer(docker: DockerCli, gun: str) -> None:
    unsigned(docker, gun)
    docker.make_image(f"{gun}:v1", "one")
    docker.sign(f"{gun}:v1").succeeded()


def two_signers(docker: DockerCli, gun: str) -> None:
    """One docker holds both keys, so it signs for both; v1 stays with the first signer alone."""
    one_signer(docker, gun)
    docker.add_signer("bob", docker.generate_key("bob"), gun).succeeded()
    docker.make_image(f"{gun}:v2", "two")
    docker.sign(f"{gun}:v2").succeeded()


def repository_key(docker: DockerCli, gun: str) -> None:
    """Pushed with content trust before there was any signer: signed by the repository key itself."""
    docker.make_image(f"{gun}:v1", "by the repository key")
    docker.push(f"{gun}:v1", content_trust=True)


def every_kind(docker: DockerCli, gun: str) -> None:
    """Tags of the repository key, of one and of two signers, in an order that is not the alphabet's."""
    repository_key(docker, gun)
    for name in ("zoe", "alice"):
        docker.add_signer(name, docker.generate_key(name), gun).succeeded()
    for tag in ("v10", "v2", "1.10", "1.9", "latest"):
        docker.make_image(f"{gun}:{tag}", f"content of {tag}")
        docker.sign(f"{gun}:{tag}").succeeded()
    (docker.private_dir / f"{key_id_of(docker, gun, 'zoe')}.key").unlink()
    docker.make_image(f"{gun}:v3", "by alice alone")
    docker.sign(f"{gun}:v3").succeeded()


def user_name_as_signer(docker: DockerCli, gun: str) -> None:
    """`docker trust sign` on a new repository names the signer after the registry login."""
    docker.make_image(f"{gun}:v1", "first sign of all")
    docker.sign(f"{gun}:v1").succeeded()


def revoked(docker: DockerCli, gun: str) -> None:
    two_signers(docker, gun)
    docker.run("trust", "revoke", f"{gun}:v2").succeeded()


SCENES: list[Scene] = [
    unsigned,
    one_signer,
    two_signers,
    repository_key,
    every_kind,
    user_name_as_signer,
    revoked,
]


def key_id_of(docker: DockerCli, gun: str, signer: str) -> str:
    (keys,) = [entry["Keys"] for entry in docker.described(gun)["Signers"] if entry["Name"] == signer]
    key_id: str = keys[0]["ID"]
    return key_id


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_we_describe_a_repository_as_docker_does(
    scene: Scene, docker_cli: DockerCli, our_client: OurClient, gun: str
) -> None:
    scene(docker_cli, gun)

    assert our_client.inspect(gun) == docker_cli.inspect(gun).succeeded().stdout
    assert our_client.inspect_pretty(gun) == docker_cli.inspect_pretty(gun).succeeded().stdout


@pytest.mark.parametrize("tag", ["v0", "v1", "v2"])
def test_we_describe_one_tag_as_docker_does(tag: str, docker_cli: DockerCli, our_client: OurClient, gun: str) -> None:
    two_signers(docker_cli, gun)  # v0 is not signed

    assert our_client.inspect(gun, tag) == docker_cli.inspect(f"{gun}:{tag}").succeeded().stdout
    theirs = docker_cli.inspect_pretty(f"{gun}:{tag}").succeeded().stdout
    assert our_client.inspect_pretty(gun, tag) == theirs


def test_we_follow_what_docker_changes_after_our_first_look(
    docker_cli: DockerCli, our_client: OurClient, gun: str
) -> None:
    one_signer(docker_cli, gun)
    before = our_client.inspect(gun)
    docker_cli.make_image(f"{gun}:v1", "another image under the same tag")
    docker_cli.push(f"{gun}:v1", content_trust=True)

    assert our_client.inspect(gun) == docker_cli.inspect(gun).stdout != before


def test_we_follow_a_root_rotation(
    docker_cli: DockerCli, notary_cli: NotaryCli, our_client: OurClient, gun: str
) -> None:
    """A trust folder that remembers root 1 accepts root 3, step by step, because each signed the next."""
    one_signer(docker_cli, gun)
    first = our_client.refresh(gun)
    keys_of_docker = NotaryCli(notary_cli.program, docker_cli.trust_dir, notary_cli.url, notary_cli.ca_file)
    keys_of_docker.rotate(gun, "root").succeeded()
    keys_of_docker.rotate(gun, "root").succeeded()

    now = our_client.refresh(gun)

    assert (first.root.version, now.root.version) == (1, 3)
    assert our_client.inspect(gun) == docker_cli.inspect(gun).succeeded().stdout


@pytest.mark.parametrize("role", ["targets", "snapshot", "timestamp"])
def test_we_follow_the_rotation_of_other_keys(
    role: str, docker_cli: DockerCli, notary_cli: NotaryCli, our_client: OurClient, gun: str
) -> None:
    one_signer(docker_cli, gun)
    our_client.refresh(gun)
    keys_of_docker = NotaryCli(notary_cli.program, docker_cli.trust_dir, notary_cli.url, notary_cli.ca_file)
    keys_of_docker.rotate(gun, role, to_server=role != "targets").succeeded()

    assert our_client.inspect(gun) == docker_cli.inspect(gun).succeeded().stdout


def test_we_read_what_notary_published(
    docker_cli: DockerCli, notary_cli: NotaryCli, our_client: OurClient, gun: str
) -> None:
    """notary keeps the snapshot key itself and writes sha512 beside sha256."""
    content = notary_cli.trust_dir.parent / "content.txt"
    content.write_text("any content")
    notary_cli.run("init", gun, "-p").succeeded()
    notary_cli.run("add", gun, "v1", str(content), "-p").succeeded()

    assert our_client.inspect(gun) == docker_cli.inspect(gun).succeeded().stdout
    (released,) = our_client.refresh(gun).released()
    listed = notary_cli.list(gun)["v1"]
    assert (released.tag, released.digest_hex, released.length) == (listed.name, listed.digest, listed.size)


def test_a_repository_nobody_initialised_is_no_trust_data(
    docker_cli: DockerCli, our_client: OurClient, gun: str
) -> None:
    docker_cli.inspect(gun).failed()
    with pytest.raises(NoTrustData):
        our_client.refresh(gun)
