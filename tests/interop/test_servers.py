"""The real docker and notary do their whole work on a trust server: the real one, and ours just the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parts.builtin_server import BuiltinServer
from tests.parts.docker_cli import DockerCli
from tests.parts.fixtures import TrustServer
from tests.parts.notary_cli import NotaryCli
from tests.parts.programs import Outcome
from tests.parts.stores import Postgres


@pytest.fixture(scope="module")
def builtin_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[BuiltinServer]:
    """Ours as it runs where several copies share one database."""
    database = postgres.create_database("everyverb")
    started = BuiltinServer(tmp_path_factory.mktemp("builtin-on-postgresql"), database)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="module", params=["notary_server", "builtin_server", "builtin_on_postgresql"])
def trust_server(request: pytest.FixtureRequest) -> TrustServer:
    """Each verb on the real server, which proves the test itself, and on ours with each of its databases."""
    server: TrustServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def content(tmp_path: Path) -> Path:
    file = tmp_path / "content.txt"
    file.write_text("what notary signs")
    return file


@pytest.fixture
def notary_of_docker(notary_cli: NotaryCli, docker_cli: DockerCli) -> NotaryCli:
    """A notary that works with docker's keys and trust data."""
    return replace(notary_cli, trust_dir=docker_cli.trust_dir)


def signer_names(docker: DockerCli, gun: str) -> list[str]:
    return [signer["Name"] for signer in docker.described(gun)["Signers"]]


def tags_of(docker: DockerCli, gun: str) -> dict[str, list[str]]:
    return {tag["SignedTag"]: tag["Signers"] for tag in docker.described(gun)["SignedTags"]}


def test_the_walk_through_of_every_docker_tutorial(docker_cli: DockerCli, gun: str) -> None:
    """W1 key, W4 signer, W8 sign, W9 pull with content trust, W10 inspect."""
    public_key = docker_cli.generate_key("jeff")
    added = docker_cli.add_signer("jeff", public_key, gun).succeeded()
    assert f'Successfully initialized "{gun}"' in added.stdout
    docker_cli.make_image(f"{gun}:1", "tutorial")

    assert f"Successfully signed {gun}:1" in docker_cli.sign(f"{gun}:1").succeeded().stdout

    docker_cli.forget_image(f"{gun}:1")
    docker_cli.pull_trusted(f"{gun}:1").succeeded()
    pretty = docker_cli.inspect_pretty(f"{gun}:1").succeeded().stdout
    assert "SIGNED TAG" in pretty
    assert "jeff" in pretty
    assert signer_names(docker_cli, gun) == ["jeff"]


def test_push_with_content_trust_signs_and_an_unsigned_tag_is_refused(docker_cli: DockerCli, gun: str) -> None:
    docker_cli.make_image(f"{gun}:signed", "signed")
    docker_cli.make_image(f"{gun}:unsigned", "unsigned")
    digest = docker_cli.push(f"{gun}:signed", content_trust=True)
    docker_cli.push(f"{gun}:unsigned")
    for tag in ("signed", "unsigned"):
        docker_cli.forget_image(f"{gun}:{tag}")

    assert f"@sha256:{digest}" in docker_cli.pull_trusted(f"{gun}:signed").succeeded().text
    assert "No valid trust data for unsigned" in docker_cli.pull_trusted(f"{gun}:unsigned").failed().stderr


def test_sign_again_and_revoke(docker_cli: DockerCli, gun: str) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    for tag in ("v1", "v2"):
        docker_cli.make_image(f"{gun}:{tag}", tag)
        docker_cli.sign(f"{gun}:{tag}").succeeded()

    docker_cli.sign(f"{gun}:v1").succeeded()
    assert tags_of(docker_cli, gun) == {"v1": ["alice"], "v2": ["alice"]}

    docker_cli.run("trust", "revoke", f"{gun}:v1").succeeded()
    assert tags_of(docker_cli, gun) == {"v2": ["alice"]}


def test_a_second_signer_on_another_machine(new_docker: Callable[[str], DockerCli], gun: str) -> None:
    admin, bob = new_docker("admin"), new_docker("bob")
    admin.add_signer("alice", admin.generate_key("alice"), gun).succeeded()
    admin.make_image(f"{gun}:v1", "signed by two")
    admin.sign(f"{gun}:v1").succeeded()
    admin.add_signer("bob", bob.generate_key("bob"), gun).succeeded()

    bob.sign(f"{gun}:v1").succeeded()

    assert signer_names(admin, gun) == ["bob", "alice"]
    assert tags_of(admin, gun) == {"v1": ["alice", "bob"]}


def test_one_command_adds_a_signer_to_many_repositories(docker_cli: DockerCli, new_gun: Callable[[], str]) -> None:
    guns = [new_gun() for _ in range(3)]

    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), *guns).succeeded()

    assert [signer_names(docker_cli, gun) for gun in guns] == [["alice"]] * 3


def test_somebody_without_the_key_cannot_sign(new_docker: Callable[[str], DockerCli], gun: str) -> None:
    admin, mallory = new_docker("admin"), new_docker("mallory")
    admin.add_signer("alice", admin.generate_key("alice"), gun).succeeded()
    mallory.make_image(f"{gun}:v1", "by nobody")

    mallory.sign(f"{gun}:v1").failed()

    assert tags_of(admin, gun) == {}


def test_parallel_signers_one_wins_and_the_others_are_told(
    new_docker: Callable[[str], DockerCli], trust_server: TrustServer, gun: str
) -> None:
    """Every publish makes the next snapshot, so of two from the same state one must lose, and say so."""
    people = [new_docker(f"person-{number}") for number in range(4)]
    first = people[0]
    first.add_signer("alice", first.generate_key("alice"), gun).succeeded()
    digest_tags = [f"{gun}:v{number}" for number in range(len(people))]
    for person, reference in zip(people, digest_tags, strict=True):
        person.private_dir.mkdir(parents=True, exist_ok=True)
        for key_file in first.private_dir.glob("*.key"):
            copy = person.private_dir / key_file.name
            if not copy.exists():
                copy.touch(mode=0o600)
                copy.write_bytes(key_file.read_bytes())
        person.make_image(reference, reference)
        person.push(reference)

    outcomes = _all_at_once([lambda p=p, r=r: p.sign(r) for p, r in zip(people, digest_tags, strict=True)])

    signed = {
        reference.rpartition(":")[2]
        for reference, outcome in zip(digest_tags, outcomes, strict=True)
        if outcome.code == 0
    }
    assert signed
    assert set(tags_of(first, gun)) == signed  # whoever was told "signed" is signed, nobody else
    for outcome in outcomes:
        if outcome.code:
            assert "trust server rejected operation" in outcome.stderr, str(outcome)
    for person, reference in zip(people, digest_tags, strict=True):
        person.sign(reference).succeeded()  # and trying again is all it takes
    assert set(tags_of(first, gun)) == {reference.rpartition(":")[2] for reference in digest_tags}


def _all_at_once(actions: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    with ThreadPoolExecutor(len(actions)) as threads:
        return [future.result() for future in [threads.submit(action) for action in actions]]


def test_docker_checks_the_servers_certificate(
    docker_cli: DockerCli, trust_server: TrustServer, tmp_path: Path
) -> None:
    """It checks none for repositories on loopback, so this one pretends to live elsewhere; no registry is asked."""
    gun = f"registry.example.com/team/{tmp_path.name}"
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    assert signer_names(docker_cli, gun) == ["alice"]

    ca_file = docker_cli.home / "tls" / trust_server.url.removeprefix("https://") / "ca.crt"
    ca_file.unlink()
    for remembered in (docker_cli.trust_dir / "tuf").rglob("*.json"):
        remembered.unlink()

    docker_cli.inspect(gun).failed()


def test_notary_publishes_with_a_snapshot_key_of_its_own(
    notary_cli: NotaryCli, docker_cli: DockerCli, gun: str, content: Path
) -> None:
    notary_cli.run("init", gun).succeeded()
    notary_cli.run("add", gun, "v1", str(content)).succeeded()

    notary_cli.run("publish", gun).succeeded()

    notary_cli.run("verify", gun, "v1", "-i", str(content)).succeeded()
    assert notary_cli.list(gun)["v1"].role == "targets"
    assert tags_of(docker_cli, gun) == {"v1": ["Repo Admin"]}


def test_notary_hands_the_snapshot_key_to_the_server_and_docker_goes_on(
    notary_of_docker: NotaryCli, docker_cli: DockerCli, gun: str, content: Path
) -> None:
    notary_of_docker.run("init", gun, "-p").succeeded()
    notary_of_docker.rotate(gun, "snapshot", to_server=True).succeeded()

    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()

    assert signer_names(docker_cli, gun) == ["alice"]


@pytest.mark.parametrize(
    ("role", "to_server"), [("root", False), ("targets", False), ("snapshot", True), ("timestamp", True)]
)
def test_notary_rotates_a_key_and_everybody_follows(
    role: str,
    to_server: bool,
    notary_of_docker: NotaryCli,
    docker_cli: DockerCli,
    new_docker: Callable[[str], DockerCli],
    gun: str,
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    docker_cli.make_image(f"{gun}:v1", "signed before")
    docker_cli.sign(f"{gun}:v1").succeeded()
    onlooker = new_docker("onlooker")
    before = onlooker.described(gun)["AdministrativeKeys"]

    notary_of_docker.rotate(gun, role, to_server=to_server).succeeded()

    docker_cli.make_image(f"{gun}:v2", "signed after")
    docker_cli.sign(f"{gun}:v2").succeeded()
    assert set(tags_of(onlooker, gun)) == {"v1", "v2"}
    after = onlooker.described(gun)["AdministrativeKeys"]
    changed = {name["Name"] for name, old in zip(after, before, strict=True) if name != old}
    assert changed == {"root": {"Root"}, "targets": {"Repository"}}.get(role, set())


def test_a_client_three_roots_behind_catches_up(
    notary_of_docker: NotaryCli, docker_cli: DockerCli, new_docker: Callable[[str], DockerCli], gun: str
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    onlooker = new_docker("onlooker")
    onlooker.described(gun)
    for _ in range(3):
        notary_of_docker.rotate(gun, "root").succeeded()

    assert onlooker.described(gun) == docker_cli.described(gun)


def test_notary_manages_delegations(
    notary_of_docker: NotaryCli, docker_cli: DockerCli, gun: str, content: Path
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    public_key = docker_cli.generate_key("carol")
    add = ("delegation", "add", gun, "targets/carol", str(public_key), "--all-paths", "-p")
    notary_of_docker.run(*add).succeeded()
    notary_of_docker.run("add", gun, "v1", str(content), "-r", "targets/carol", "-p").succeeded()

    listed = notary_of_docker.delegations(gun)
    assert set(listed) == {"targets/alice", "targets/carol", "targets/releases"}
    assert {name["Name"] for name in docker_cli.described(gun)["Signers"]} == {"alice", "carol"}
    assert notary_of_docker.list(gun)["v1"].role == "targets/carol"

    notary_of_docker.run("delegation", "remove", gun, "targets/carol", "-y", "-p").succeeded()
    assert set(notary_of_docker.delegations(gun)) == {"targets/alice", "targets/releases"}


def test_notary_removes_a_target_and_witnesses(notary_of_docker: NotaryCli, docker_cli: DockerCli, gun: str) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    for tag in ("v1", "v2"):
        docker_cli.make_image(f"{gun}:{tag}", tag)
        docker_cli.sign(f"{gun}:{tag}").succeeded()

    notary_of_docker.run("witness", gun, "targets/releases", "targets/alice", "-p").succeeded()
    notary_of_docker.run("remove", gun, "v1", "-r", "targets/releases", "-p").succeeded()

    assert tags_of(docker_cli, gun) == {"v2": ["alice"]}


def test_notary_deletes_a_repository_for_good(
    notary_cli: NotaryCli, new_docker: Callable[[str], DockerCli], gun: str, content: Path
) -> None:
    notary_cli.run("init", gun, "-p").succeeded()
    notary_cli.run("add", gun, "v1", str(content), "-p").succeeded()

    notary_cli.run("delete", gun, "--remote").succeeded()

    assert "does not have trust data" in notary_cli.run("list", gun).failed().text
    new_docker("onlooker").inspect(gun).failed()


def test_a_deleted_name_can_begin_again(docker_cli: DockerCli, notary_cli: NotaryCli, gun: str) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    notary_cli.run("delete", gun, "--remote").succeeded()
    for remembered in (docker_cli.trust_dir / "tuf").rglob("*.json"):
        remembered.unlink()

    docker_cli.add_signer("bob", docker_cli.generate_key("bob"), gun).succeeded()

    assert signer_names(docker_cli, gun) == ["bob"]


@pytest.mark.parametrize("trust_server", ["builtin_server"], indirect=True)
def test_the_built_in_server_remembers_over_a_restart(
    trust_server: BuiltinServer, docker_cli: DockerCli, gun: str
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    trust_server.stop()
    trust_server.start()

    docker_cli.make_image(f"{gun}:v1", "signed after the restart")
    docker_cli.sign(f"{gun}:v1").succeeded()

    assert tags_of(docker_cli, gun) == {"v1": ["alice"]}
