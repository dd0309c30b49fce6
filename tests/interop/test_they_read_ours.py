"""What we wrote, the real docker and notary read; and they go on from there with our keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli
from tests.parts.ours import OurClient


@pytest.fixture
def pushed(docker_cli: DockerCli, gun: str) -> tuple[str, int]:
    """Push v1 without a signature; give its digest and its manifest's length."""
    return push_unsigned(docker_cli, f"{gun}:v1", "an image we sign")


def push_unsigned(docker: DockerCli, reference: str, content: str) -> tuple[str, int]:
    docker.make_image(reference, content)
    pushed = docker.run("push", reference).succeeded().stdout
    digest, _, size = pushed.rstrip().rpartition("sha256:")[2].partition(" size: ")
    return digest, int(size)


def share_keys(source: Path, target: Path) -> None:
    """Put one person's key files beside another's, as a person would by copying them."""
    target.mkdir(parents=True, exist_ok=True)
    for key_file in source.glob("*.key"):
        copy = target / key_file.name
        copy.touch(mode=0o600)
        copy.write_bytes(key_file.read_bytes())


def test_docker_and_notary_see_the_signer_we_added_first(
    our_client: OurClient, docker_cli: DockerCli, notary_cli: NotaryCli, gun: str
) -> None:
    alice = our_client.generate_key("alice")

    published = our_client.add_signer("alice", alice, gun)

    assert {name: published.versions[name] for name in ("root", "targets")} == {"root": 1, "targets": 2}
    described = docker_cli.described(gun)
    assert [signer["Name"] for signer in described["Signers"]] == ["alice"]
    assert docker_cli.inspect(gun).stdout == our_client.inspect(gun)
    delegations = notary_cli.delegations(gun)
    alice_id = described["Signers"][0]["Keys"][0]["ID"]
    assert {name: role.key_ids for name, role in delegations.items()} == {
        "targets/alice": (alice_id,),
        "targets/releases": (alice_id,),
    }
    assert {role.paths for role in delegations.values()} == {'"" <all paths>'}


def test_docker_and_notary_see_what_we_signed(
    our_client: OurClient, docker_cli: DockerCli, notary_cli: NotaryCli, gun: str, pushed: tuple[str, int]
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)

    our_client.sign(gun, {"v1": pushed, "v2": pushed, "v10": pushed})

    digest, length = pushed
    assert docker_cli.inspect(gun).succeeded().stdout == our_client.inspect(gun)
    assert docker_cli.inspect_pretty(gun).succeeded().stdout == our_client.inspect_pretty(gun)
    assert [tag["SignedTag"] for tag in docker_cli.described(gun)["SignedTags"]] == ["v1", "v2", "v10"]
    listed = notary_cli.list(gun)
    assert {(row.digest, row.size, row.role) for row in listed.values()} == {(digest, length, "targets/alice")}
    assert set(listed) == {"v1", "v2", "v10"}


def test_docker_pulls_our_tag_and_refuses_an_unsigned_one(
    our_client: OurClient, docker_cli: DockerCli, gun: str, pushed: tuple[str, int]
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    our_client.sign(gun, {"v1": pushed})
    push_unsigned(docker_cli, f"{gun}:unsigned", "an image nobody signs")
    docker_cli.forget_image(f"{gun}:v1")
    docker_cli.forget_image(f"{gun}:unsigned")

    assert f"@sha256:{pushed[0]}" in docker_cli.pull_trusted(f"{gun}:v1").succeeded().text
    assert "No valid trust data for unsigned" in docker_cli.pull_trusted(f"{gun}:unsigned").failed().stderr


def test_docker_pulls_what_we_signed_not_what_the_tag_points_to(
    our_client: OurClient, docker_cli: DockerCli, gun: str, pushed: tuple[str, int]
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    our_client.sign(gun, {"v1": pushed})
    moved, _ = push_unsigned(docker_cli, f"{gun}:v1", "pushed over the signed tag")

    pulled = docker_cli.pull_trusted(f"{gun}:v1").succeeded().text

    assert f"@sha256:{pushed[0]}" in pulled
    assert moved not in pulled


def test_docker_signs_with_the_keys_we_wrote(
    our_client: OurClient, docker_cli: DockerCli, gun: str, pushed: tuple[str, int]
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    our_client.sign(gun, {"v1": pushed})
    share_keys(our_client.private_dir, docker_cli.private_dir)
    docker_cli.make_image(f"{gun}:v2", "an image docker signs")

    docker_cli.sign(f"{gun}:v2").succeeded()

    tags = {tag["SignedTag"]: tag["Signers"] for tag in docker_cli.described(gun)["SignedTags"]}
    assert tags == {"v1": ["alice"], "v2": ["alice"]}
    assert our_client.inspect(gun) == docker_cli.inspect(gun).stdout


def test_docker_adds_a_signer_to_the_repository_we_created(
    our_client: OurClient, docker_cli: DockerCli, gun: str, pushed: tuple[str, int]
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    our_client.sign(gun, {"v1": pushed})
    share_keys(our_client.private_dir, docker_cli.private_dir)

    docker_cli.add_signer("bob", docker_cli.generate_key("bob"), gun).succeeded()
    docker_cli.sign(f"{gun}:v1").succeeded()

    (tag,) = docker_cli.described(gun)["SignedTags"]
    assert tag["Signers"] == ["alice", "bob"]
    assert our_client.inspect(gun) == docker_cli.inspect(gun).stdout


def test_docker_makes_another_repository_with_our_root_key(
    our_client: OurClient, docker_cli: DockerCli, new_gun: Callable[[], str]
) -> None:
    first, second = new_gun(), new_gun()
    our_client.add_signer("alice", our_client.generate_key("alice"), first)
    share_keys(our_client.private_dir, docker_cli.private_dir)

    docker_cli.add_signer("bob", docker_cli.generate_key("bob"), second).succeeded()

    roots = [key_file for key_file in docker_cli.private_dir.glob("*.key") if "role: root" in key_file.read_text()]
    assert len(roots) == 1


def test_we_add_a_signer_and_sign_on_a_repository_docker_created(
    our_client: OurClient, docker_cli: DockerCli, notary_cli: NotaryCli, gun: str
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    docker_cli.make_image(f"{gun}:v1", "an image docker signs")
    docker_cli.sign(f"{gun}:v1").succeeded()
    share_keys(docker_cli.private_dir, our_client.private_dir)
    signed_by_docker = notary_cli.list(gun)["v1"]

    our_client.add_signer("bob", our_client.generate_key("bob"), gun)
    our_client.sign(gun, {"v2": (signed_by_docker.digest, signed_by_docker.size)})

    tags = {tag["SignedTag"]: tag["Signers"] for tag in docker_cli.described(gun)["SignedTags"]}
    assert tags == {"v1": ["alice"], "v2": ["alice", "bob"]}
    assert our_client.inspect(gun) == docker_cli.inspect(gun).stdout


def test_we_sign_what_only_the_repository_key_may_sign(
    our_client: OurClient, docker_cli: DockerCli, notary_cli: NotaryCli, gun: str
) -> None:
    """Without any delegation a tag belongs into `targets`, as docker push with content trust does it."""
    docker_cli.make_image(f"{gun}:v1", "pushed before there was a signer")
    docker_cli.push(f"{gun}:v1", content_trust=True)
    share_keys(docker_cli.private_dir, our_client.private_dir)
    by_docker = notary_cli.list(gun)["v1"]

    our_client.sign(gun, {"v2": (by_docker.digest, by_docker.size)})

    assert {row.role for row in notary_cli.list(gun).values()} == {"targets"}
    tags = {tag["SignedTag"]: tag["Signers"] for tag in docker_cli.described(gun)["SignedTags"]}
    assert tags == {"v1": ["Repo Admin"], "v2": ["Repo Admin"]}


def test_a_second_person_signs_with_her_own_key_only(
    new_client: Callable[[str], OurClient], docker_cli: DockerCli, gun: str, pushed: tuple[str, int]
) -> None:
    admin, alice = new_client("admin"), new_client("alice")
    admin.add_signer("alice", alice.generate_key("alice"), gun)

    alice.sign(gun, {"v1": pushed})

    (tag,) = docker_cli.described(gun)["SignedTags"]
    assert (tag["Digest"], tag["Signers"]) == (pushed[0], ["alice"])


def test_many_tags_and_letters_json_would_escape_survive(
    our_client: OurClient, docker_cli: DockerCli, notary_cli: NotaryCli, gun: str, pushed: tuple[str, int]
) -> None:
    """notary-server hashes its own writing of a file, so one byte of difference would break the repository."""
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)

    our_client.sign(gun, {f"build_{number}.x-{number % 7}": pushed for number in range(120)})
    our_client.sign(gun, {"latest": pushed})

    assert len(notary_cli.list(gun)) == 121
    assert json.loads(docker_cli.inspect(gun).stdout) == json.loads(our_client.inspect(gun))
