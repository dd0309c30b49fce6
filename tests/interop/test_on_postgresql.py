"""Both trust servers on PostgreSQL, as they run where several copies share one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.parts.builtin_server import BuiltinServer
from tests.parts.docker_cli import DockerCli
from tests.parts.fixtures import TrustServer
from tests.parts.notary_server import SERVER_SCHEMA, SIGNER_SCHEMA, NotaryServer, Storage
from tests.parts.ours import OurClient
from tests.parts.stores import Postgres


@pytest.fixture(scope="module")
def trust_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[TrustServer]:
    """Start the one the test names; `builtin_server` unless it says otherwise."""
    server = _SERVERS[getattr(request, "param", "builtin_server")](tmp_path_factory, postgres)
    try:
        yield server.start()
    finally:
        server.stop()


def _notary(folders: pytest.TempPathFactory, postgres: Postgres) -> NotaryServer:
    storage = Storage(
        postgres.create_database("notaryserver", SERVER_SCHEMA),
        postgres.create_database("notarysigner", SIGNER_SCHEMA),
    )
    return NotaryServer(folders.mktemp("notary-on-postgres"), storage)


def _builtin(folders: pytest.TempPathFactory, postgres: Postgres) -> BuiltinServer:
    return BuiltinServer(folders.mktemp("builtin-on-postgres"), postgres.create_database("trustui"))


_SERVERS: dict[str, Callable[[pytest.TempPathFactory, Postgres], TrustServer]] = {
    "notary_server": _notary,
    "builtin_server": _builtin,
}
both = pytest.mark.parametrize("trust_server", list(_SERVERS), indirect=True, scope="module")


@both
def test_docker_signs_and_we_agree(docker_cli: DockerCli, our_client: OurClient, gun: str) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    docker_cli.make_image(f"{gun}:v1", "on PostgreSQL")
    docker_cli.sign(f"{gun}:v1").succeeded()

    assert our_client.inspect(gun) == docker_cli.inspect(gun).succeeded().stdout


@both
def test_we_sign_and_docker_agrees(docker_cli: DockerCli, our_client: OurClient, gun: str) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    our_client.sign(gun, {"v1": ("ab" * 32, 500)})

    assert docker_cli.inspect(gun).succeeded().stdout == our_client.inspect(gun)


@pytest.mark.parametrize("trust_server", ["builtin_server"], indirect=True, scope="module")
def test_parallel_publishers_of_ours_all_come_through(
    new_client: Callable[[str], OurClient], docker_cli: DockerCli, gun: str
) -> None:
    """A conflict costs a retry, never a tag."""
    owner = new_client("owner")
    public_key = owner.generate_key("alice")
    owner.add_signer("alice", public_key, gun)
    people = [new_client(f"person-{number}") for number in range(4)]
    for person in people:
        for key_file in owner.private_dir.glob("*.key"):
            person.private_dir.mkdir(parents=True, exist_ok=True)
            copy = person.private_dir / key_file.name
            copy.touch(mode=0o600)
            copy.write_bytes(key_file.read_bytes())

    with ThreadPoolExecutor(len(people)) as threads:
        waiting = [
            threads.submit(person.sign, gun, {f"v{number}": ("cd" * 32, 500)}) for number, person in enumerate(people)
        ]
    for done in waiting:
        done.result()

    assert [tag["SignedTag"] for tag in docker_cli.described(gun)["SignedTags"]] == ["v0", "v1", "v2", "v3"]
