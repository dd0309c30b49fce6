"""Moving in from the real notary-server and back: clients that were there before notice nothing."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from signing import jobs
from signing.models import Operation, TrustServer, User
from signing.services.trust_server_transfers import export_repositories, import_repositories
from tests.parts.docker_cli import ROOT_PASSPHRASE, DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.notary_server import KEY_ALIAS, SERVER_SCHEMA, SIGNER_SCHEMA, NotaryServer, Storage
from tests.parts.programs import Outcome
from tests.parts.standalone_server import StandaloneServer
from tests.parts.stores import Postgres

SIGNER_PASSPHRASE = "a test's key-wrapping secret"


def _notary(folder: Path, postgres: Postgres) -> NotaryServer:
    name = uuid.uuid4().hex[:8]
    storage = Storage(
        postgres.create_database(f"server{name}", SERVER_SCHEMA),
        postgres.create_database(f"signer{name}", SIGNER_SCHEMA),
    )
    return NotaryServer(folder, storage)


@pytest.fixture(scope="module")
def notary(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[NotaryServer]:
    started = _notary(tmp_path_factory.mktemp("notary"), postgres)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    environment = {"NOTARY_ROOT_PASSPHRASE": ROOT_PASSPHRASE}
    started = StandaloneServer(tmp_path_factory.mktemp("ours"), environment=environment)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture
def docker(tmp_path: Path, notary: NotaryServer, engine: Engine, registry: Registry) -> DockerCli:
    return DockerCli(
        require_docker(), tmp_path / "docker", engine.url, registry.host, notary.url, notary.ca_pem, "admin"
    )


@pytest.fixture
def gun(registry: Registry) -> str:
    return f"{registry.host}/moved-{uuid.uuid4().hex[:10]}/app"


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    file = tmp_path / "signer-passphrase"
    file.write_text(SIGNER_PASSPHRASE + "\n")
    return file


@pytest.fixture
def import_from_notary(ours: StandaloneServer, notary: NotaryServer, gun: str) -> Callable[..., Outcome]:
    return lambda *options: ours.manage(
        "importnotary", notary.url, gun, "--ca", str(notary.ca_file), *map(str, options)
    )


def signed(docker: DockerCli, gun: str, *tags: str) -> None:
    for tag in tags:
        docker.make_image(f"{gun}:{tag}", tag)
        docker.sign(f"{gun}:{tag}").succeeded()


def tags_of(docker: DockerCli, gun: str) -> list[str]:
    return [tag["SignedTag"] for tag in docker.described(gun)["SignedTags"]]


def file_of(server: NotaryServer | StandaloneServer, gun: str, name: str) -> bytes:
    context = StandaloneServer.client_context(server)  # type: ignore[arg-type]  both have a CA
    url = f"{server.url}/v2/{gun}/_trust/tuf/{name}.json"
    return bytes(urllib.request.urlopen(url, context=context, timeout=10).read())


def assert_same_versions(gun: str, *servers: NotaryServer | StandaloneServer) -> None:
    names = ("root", "targets", "targets/alice", "targets/releases", "snapshot", "timestamp")
    for name in names:
        newest = json.loads(file_of(servers[0], gun, name))["signed"]["version"]
        for version in range(1, newest + 1):
            if (name, version) == ("targets", 1):
                continue  # the first publish sends version 2
            first, second = (file_of(server, gun, f"{version}.{name}") for server in servers)
            assert first == second, f"{version}.{name}"


def test_with_the_signers_keys_nobody_notices_anything_there_and_back(
    docker: DockerCli,
    notary: NotaryServer,
    ours: StandaloneServer,
    postgres: Postgres,
    gun: str,
    import_from_notary: Callable[..., Outcome],
    passphrase_file: Path,
    tmp_path: Path,
) -> None:
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    signed(docker, gun, "v1", "v2")
    before = docker.inspect(gun).succeeded().stdout

    signer = ("--signer-database", notary.storage.signer_url, "--signer-passphrase-file", passphrase_file)
    told = import_from_notary(*signer).succeeded().stdout
    assert "this server signs snapshot and timestamp from now on" in told
    assert_same_versions(gun, notary, ours)

    moved = replace(docker, trust_url=ours.url, ca_pem=ours.ca_pem)  # the same person with the same cache
    assert moved.inspect(gun).succeeded().stdout == before
    signed(moved, gun, "v3")
    assert tags_of(moved, gun) == ["v1", "v2", "v3"]

    again = _notary(tmp_path / "again", postgres)
    ours.manage(
        *("exportnotary", gun, "--server-database", again.storage.server_url, "--signer-alias", KEY_ALIAS),
        *("--signer-database", again.storage.signer_url, "--signer-passphrase-file", str(passphrase_file)),
    ).succeeded()
    try:
        again.start()
        assert_same_versions(gun, ours, again)
        back = replace(docker, trust_url=again.url, ca_pem=again.ca_pem)
        signed(back, gun, "v4")
        assert tags_of(back, gun) == ["v1", "v2", "v3", "v4"]
    finally:
        again.stop()


@pytest.mark.django_db
def test_the_dashboards_operations_do_the_same(
    docker: DockerCli, notary: NotaryServer, postgres: Postgres, gun: str, tmp_path: Path
) -> None:
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    signed(docker, gun, "v1")
    admin = User.objects.create_superuser("root")
    source = TrustServer.objects.create(name="old", url=notary.url, ca_pem=notary.ca_pem)
    opens = {"signer_database": notary.storage.signer_url, "signer_passphrase": SIGNER_PASSPHRASE}
    again = _notary(tmp_path / "again", postgres)

    brought = import_repositories(actor=admin, source=source, guns=[gun], way="signer", **opens)
    jobs.import_trust(brought.pk)
    brought.refresh_from_db()
    assert brought.state == Operation.State.DONE, brought.error
    assert "this server signs snapshot and timestamp from now on" in brought.lines.last().text

    opens["signer_database"] = again.storage.signer_url
    databases = opens | {"server_database": again.storage.server_url, "signer_alias": KEY_ALIAS}
    given = export_repositories(actor=admin, guns=[gun], **databases)
    jobs.export_trust(given.pk)
    given.refresh_from_db()
    assert given.state == Operation.State.DONE, given.error
    try:
        again.start()
        assert_same_versions(gun, notary, again)
        signed(replace(docker, trust_url=again.url, ca_pem=again.ca_pem), gun, "v2")
    finally:
        again.stop()


def test_without_keys_it_is_a_mirror_until_the_root_key_speaks(
    docker: DockerCli,
    notary: NotaryServer,
    ours: StandaloneServer,
    gun: str,
    import_from_notary: Callable[..., Outcome],
) -> None:
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    signed(docker, gun, "v1")
    assert "a mirror" in import_from_notary().succeeded().stdout
    moved = replace(docker, trust_url=ours.url, ca_pem=ours.ca_pem)
    assert tags_of(moved, gun) == ["v1"]
    moved.make_image(f"{gun}:refused", "refused")
    assert "snapshot" in moved.sign(f"{gun}:refused").failed().text

    signed(docker, gun, "v2")  # the original goes on, and the mirror follows
    assert "0 new versions" not in import_from_notary().succeeded().stdout
    assert "0 new versions" in import_from_notary().succeeded().stdout
    assert_same_versions(gun, notary, ours)

    (root_key,) = [file for file in docker.private_dir.glob("*.key") if "role: root" in file.read_text()]
    told = import_from_notary("--root-key", root_key).succeeded().stdout
    assert "a new root names this server's keys" in told
    signed(moved, gun, "v3")
    assert tags_of(moved, gun) == ["v1", "v2", "v3"]

    # Who saw the new root is warned of the old place. Somebody who did not may still publish there.
    assert "version 1 is lower than current version 2" in docker.sign(f"{gun}:v3").failed().stderr
    shutil.rmtree(docker.trust_dir / "tuf")
    signed(docker, gun, "v4")
    refused = import_from_notary().failed()
    assert "somebody published on both servers" in refused.stderr


def test_what_is_not_imported(
    ours: StandaloneServer,
    notary: NotaryServer,
    docker: DockerCli,
    gun: str,
    import_from_notary: Callable[..., Outcome],
    tmp_path: Path,
) -> None:
    assert "Not imported" in import_from_notary().failed().stderr  # it is not there yet
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    refused = import_from_notary(
        "--signer-database", notary.storage.signer_url, "--signer-passphrase-file", wrong
    ).failed()
    assert "do not open with this passphrase" in refused.stderr
    assert "Traceback" not in refused.stderr
    with pytest.raises(urllib.error.HTTPError, match="404"):
        file_of(ours, gun, "root")
