"""Tokens end to end: the dashboard issues them, docker and notary fetch them, both trust servers believe them."""

from __future__ import annotations

import base64
import os
import ssl
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from signing.trust.errors import NotAuthorised
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import HttpsTransport
from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.notary_server import NotaryServer
from tests.parts.programs import Outcome, require_program, run
from tests.parts.standalone_server import StandaloneServer
from tests.parts.token_issuer import PASSWORD, TokenIssuer

NAMESPACE = "team"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Iterator[TokenIssuer]:
    started = TokenIssuer(tmp_path_factory.mktemp("issuer"), registry.host, NAMESPACE)
    try:
        yield started.start()
    finally:
        started.stop()


@dataclass(slots=True)
class NotaryServerWithTokens(NotaryServer):
    """The real server, told to believe our issuer."""

    issuer: TokenIssuer | None = None

    def _server_config(self, pair: Any) -> dict[str, Any]:
        assert self.issuer is not None
        options = {
            "realm": self.issuer.realm,
            "service": "notary",
            "issuer": "trustui",
            "rootcertbundle": str(self.issuer.bundle),
        }
        return NotaryServer._server_config(self, pair) | {"auth": {"type": "token", "options": options}}


Server = StandaloneServer | NotaryServerWithTokens


@pytest.fixture(scope="module", params=["ours", "notary-server"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, issuer: TokenIssuer
) -> Iterator[Server]:
    """Run each test on both servers: the original proves the issuer and the test itself."""
    folder = tmp_path_factory.mktemp("closed")
    started: Server = (
        StandaloneServer(folder, options=issuer.options())
        if request.param == "ours"
        else NotaryServerWithTokens(folder, issuer=issuer)
    )
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def gun(registry: Registry) -> str:
    return f"{registry.host}/{NAMESPACE}/{uuid.uuid4().hex[:10]}"


@pytest.fixture
def docker_of(tmp_path: Path, server: Server, engine: Engine, registry: Registry) -> Callable[..., DockerCli]:
    """Give a person's docker, logged in as they are in the dashboard."""
    program = require_docker()

    def make(person: str, password: str = PASSWORD) -> DockerCli:
        return DockerCli(
            program, tmp_path / person, engine.url, registry.host, server.url, server.ca_pem, person, password=password
        )

    return make


@dataclass
class Notary:
    """A person's notary with NOTARY_AUTH."""

    server: Server
    folder: Path
    person: str
    password: str = PASSWORD

    def run(self, *arguments: str) -> Outcome:
        passphrases = {
            f"NOTARY_{role}_PASSPHRASE": REPOSITORY_PASSPHRASE for role in ("ROOT", "TARGETS", "SNAPSHOT", "DELEGATION")
        }
        login = (
            {"NOTARY_AUTH": base64.b64encode(f"{self.person}:{self.password}".encode()).decode()} if self.person else {}
        )
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **passphrases, **login}
        common = ["-s", self.server.url, "-d", str(self.folder), "--tlscacert", str(self.server.ca_file)]
        return run([require_program("notary"), *common, *arguments], env=env, stdin=b"yes\n")


@pytest.fixture
def notary_of(tmp_path: Path, server: Server) -> Callable[[str], Notary]:
    return lambda person: Notary(server, tmp_path / f"notary-of-{person}", person)


def test_docker_signs_as_somebody_who_may(docker_of: Callable[..., DockerCli], gun: str) -> None:
    lead, auditor, outsider = (docker_of(name) for name in ("lead", "auditor", "outsider"))
    lead.add_signer("alice", lead.generate_key("alice"), gun).succeeded()
    lead.make_image(f"{gun}:1", "with a token")
    lead.sign(f"{gun}:1").succeeded()

    assert [tag["SignedTag"] for tag in auditor.described(gun)["SignedTags"]] == ["1"]
    outsider.inspect(gun).failed()
    refused = auditor.add_signer("mallory", auditor.generate_key("mallory"), f"{gun}-new").failed()
    assert "not authorized" in refused.text
    lead.inspect(f"{gun}-new").failed()

    lead.run("trust", "revoke", f"{gun}:1").succeeded()
    assert lead.described(gun)["SignedTags"] == []


def test_docker_with_a_wrong_password_reads_nothing(docker_of: Callable[..., DockerCli], gun: str) -> None:
    docker_of("lead").add_signer("alice", docker_of("lead").generate_key("alice"), gun).succeeded()
    docker_of("signer", password="wrong").inspect(gun).failed()


def test_notary_deletes_and_rotates_as_a_lead_only(notary_of: Callable[[str], Notary], gun: str) -> None:
    lead, developer = notary_of("lead"), notary_of("developer")
    lead.run("init", gun, "-p").succeeded()
    lead.run("key", "rotate", gun, "snapshot", "-r").succeeded()

    developer.run("list", gun).succeeded()
    developer.run("delete", gun, "--remote").failed()
    lead.run("list", gun).succeeded()

    lead.run("delete", gun, "--remote").succeeded()
    lead.run("list", gun).failed()


def test_programs_come_with_api_tokens_and_go_no_further(
    notary_of: Callable[[str], Notary], server: Server, issuer: TokenIssuer, gun: str, tmp_path: Path
) -> None:
    publishes = Notary(server, tmp_path / "ci", "ci", issuer.api_token("lead", "read", "publish"))
    reads = Notary(server, tmp_path / "reader", "anything", issuer.api_token("lead", "read"))
    publishes.run("init", gun, "-p").succeeded()
    reads.run("list", gun).succeeded()

    reads.run("init", gun + "-new", "-p").failed()
    publishes.run("delete", gun, "--remote").failed()
    notary_of("lead").run("list", gun).succeeded()
    Notary(server, tmp_path / "made-up", "ci", "trustui_" + "a" * 43).run("list", gun).failed()


def test_notary_without_a_login_is_nobody(notary_of: Callable[[str], Notary], gun: str) -> None:
    notary_of("lead").run("init", gun, "-p").succeeded()
    notary_of("").run("list", gun).failed()


def test_our_client_fetches_tokens_too(notary_of: Callable[[str], Notary], server: Server, gun: str) -> None:
    notary_of("lead").run("init", gun, "-p").succeeded()
    with HttpsTransport(server.url, ca_pem=server.ca_pem, username="auditor", password=PASSWORD) as transport:
        assert refresh(Gun.parse(gun), transport, MemoryCache()).targets.version >= 1
    outsider = HttpsTransport(server.url, ca_pem=server.ca_pem, username="outsider", password=PASSWORD)
    with outsider, pytest.raises(NotAuthorised):
        refresh(Gun.parse(gun), outsider, MemoryCache())


def test_anonymous_pull(tmp_path: Path, issuer: TokenIssuer, engine: Engine, registry: Registry, gun: str) -> None:
    server = StandaloneServer(tmp_path / "server", options=issuer.options("--anonymous-pull"))
    try:
        server.start()
        lead = DockerCli(
            require_docker(),
            tmp_path / "lead",
            engine.url,
            registry.host,
            server.url,
            server.ca_pem,
            "lead",
            password=PASSWORD,
        )
        lead.add_signer("alice", lead.generate_key("alice"), gun).succeeded()
        lead.make_image(f"{gun}:1", "for everybody")
        lead.sign(f"{gun}:1").succeeded()

        Notary(server, tmp_path / "anybody", "").run("list", gun, "-r", "targets/releases").succeeded()
        Notary(server, tmp_path / "nobody", "").run("init", gun + "-new", "-p").failed()
        url = f"{server.url}/v2/{gun}/_trust/tuf/root.json"
        assert urllib.request.urlopen(url, context=server.client_context()).status == 200
    finally:
        server.stop()


# The command


def test_client_certificates(tmp_path: Path) -> None:
    server = StandaloneServer(tmp_path)
    server.options = ("--auth", "none", "--client-ca", str(server.ca_file))
    try:
        server.start()
        with pytest.raises((ssl.SSLError, OSError)):
            urllib.request.urlopen(f"{server.url}/v2/", context=server.client_context(), timeout=10)
        context = server.client_context()
        context.load_cert_chain(*server.issue_client("known"))
        assert urllib.request.urlopen(f"{server.url}/v2/", context=context, timeout=10).status == 200
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("bind", "options", "sentence"),
    [
        ("0.0.0.0:4443", ("--auth", "none"), "Use --auth token, or bind to 127.0.0.1."),
        ("[::]:4443", ("--auth", "none"), "Use --auth token, or bind to 127.0.0.1."),
        ("trust.example:4443", ("--auth", "none"), "Use --auth token, or bind to 127.0.0.1."),
        ("4443", ("--auth", "none"), "--bind takes HOST:PORT"),
        ("127.0.0.1:0", ("--auth", "none"), "--bind takes HOST:PORT"),
        ("127.0.0.1:4443", ("--auth", "token"), "needs realm and bundle as well"),
        ("127.0.0.1:4443", (), "--auth"),
        ("127.0.0.1:4443", ("--auth", "none"), "The database lacks tables."),
        ("127.0.0.1:4443", ("--auth", "none", "--client-ca", __file__), "cannot be read"),
    ],
)
def test_what_the_command_refuses_to_start(tmp_path: Path, bind: str, options: tuple[str, ...], sentence: str) -> None:
    server = StandaloneServer(tmp_path, options=options)
    server.database_file.parent.mkdir()
    arguments = server.command_line(bind)[2:]
    refused = server.manage(*arguments).failed()
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
