"""The parts as pytest fixtures: servers once per run, people and repositories fresh for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts.builtin_server import BuiltinServer
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.notary_cli import NotaryCli
from tests.parts.notary_server import NotaryServer
from tests.parts.ours import OurClient
from tests.parts.programs import require_program
from tests.parts.stores import Postgres, redis_server
from tests.parts.trustctl import TrustCtl

TrustServer = NotaryServer | BuiltinServer


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    started = Registry(tmp_path_factory.mktemp("registry"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[Engine]:
    started = Engine(tmp_path_factory.mktemp("engine"), registry.host)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def notary_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotaryServer]:
    """The real notary-server with notary-signer, in memory."""
    started = NotaryServer(tmp_path_factory.mktemp("notary-server"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def builtin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltinServer]:
    started = BuiltinServer(tmp_path_factory.mktemp("builtin-server"))
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    started = Postgres(tmp_path_factory.mktemp("postgres") / "cluster")
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session", params=["notary_server", "builtin_server"])
def trust_server(request: pytest.FixtureRequest) -> TrustServer:
    """Each test that asks for it runs on the real server and on ours: the first proves the test itself."""
    server: TrustServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def new_docker(
    tmp_path: Path, trust_server: TrustServer, engine: Engine, registry: Registry
) -> Callable[[str], DockerCli]:
    """Give a person's docker by the name they log in with."""
    program = require_docker()

    def make(username: str) -> DockerCli:
        return DockerCli(
            program=program,
            home=tmp_path / f"docker-of-{username}",
            engine=engine.url,
            registry=registry.host,
            trust_url=trust_server.url,
            ca_pem=trust_server.ca_pem,
            username=username,
        )

    return make


@pytest.fixture
def docker_cli(new_docker: Callable[[str], DockerCli]) -> DockerCli:
    return new_docker("admin")


@pytest.fixture
def notary_cli(tmp_path: Path, trust_server: TrustServer) -> NotaryCli:
    """A notary with a trust folder of its own: it remembers nothing of what docker saw."""
    return NotaryCli(require_program("notary"), tmp_path / "notary", trust_server.url, trust_server.ca_file)


@pytest.fixture
def new_client(tmp_path: Path, trust_server: TrustServer) -> Callable[[str], OurClient]:
    """Give a person's own trust core by their name, with a trust folder of its own."""

    def make(person: str) -> OurClient:
        return OurClient(tmp_path / f"ours-of-{person}", trust_server.url, trust_server.ca_pem)

    return make


@pytest.fixture
def our_client(new_client: Callable[[str], OurClient]) -> OurClient:
    return new_client("admin")


@pytest.fixture
def trustctl(tmp_path: Path, trust_server: TrustServer) -> TrustCtl:
    return TrustCtl(tmp_path / "trustctl", trust_server.url, trust_server.ca_file)


@pytest.fixture
def new_gun(registry: Registry) -> Callable[[], str]:
    """Give repository names nobody used; none is the beginning of another."""
    return lambda: f"{registry.host}/team-{uuid.uuid4().hex[:10]}/app"


@pytest.fixture
def gun(new_gun: Callable[[], str]) -> str:
    return new_gun()


@pytest.fixture
def tiny_image(docker_cli: DockerCli) -> Callable[..., str]:
    """Make a local image of one small file and give its name back; other content, other digest."""

    def make(reference: str, content: str = "tiny") -> str:
        docker_cli.make_image(reference, content)
        return reference

    return make
