"""Asking a registry what a tag means: over a small HTTP server on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator

import pytest

from signing.local_signer.docker_folder import Login
from signing.local_signer.registry import Manifest, Registry
from signing.trust.errors import BadResponse, NoSuchTarget, NotAuthorised, ServerUnreachable, TrustError
from signing.trust.notary.gun import ImageName
from tests.unit.local_signer.fake_server import Answer, Behaviour, FakeServer

pytestmark = pytest.mark.loopback

MANIFEST = json.dumps({"schemaVersion": 2}).encode()
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
BASIC = f"Basic {base64.b64encode(b'alice:secret').decode()}"


class FakeRegistry(FakeServer):
    """A registry that answers with one index, or as a test says."""

    def __init__(self) -> None:
        super().__init__(lambda path, headers: (200, {"Content-Type": OCI_INDEX}, MANIFEST))

    def ask(self, login: Login | None = None, digest: str | None = None) -> Manifest:
        image = ImageName.parse(f"{self.host}/team/app:v1")._replace(digest=digest)
        with Registry.connect(image.gun.host, login) as registry:
            return registry.manifest(image)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as started:
        yield started


def test_digest_and_size_are_those_of_the_bytes(fake: FakeRegistry) -> None:
    assert fake.ask() == Manifest(DIGEST, len(MANIFEST))
    (path, headers) = fake.asked[0]
    assert path == "/v2/team/app/manifests/v1"
    assert OCI_INDEX in headers["accept"]
    assert "authorization" not in headers


def test_a_manifest_is_asked_for_by_its_digest(fake: FakeRegistry) -> None:
    assert fake.ask(digest=DIGEST) == Manifest(DIGEST, len(MANIFEST))
    assert fake.asked[0][0] == f"/v2/team/app/manifests/{DIGEST}"
    with pytest.raises(BadResponse):
        fake.ask(digest="sha256:" + "00" * 32)


def test_a_password_is_sent_only_when_asked_for(fake: FakeRegistry) -> None:
    def behaviour(_path: str, headers: dict[str, str]) -> Answer:
        if headers.get("authorization") == BASIC:
            return 200, {"Content-Type": OCI_INDEX}, MANIFEST
        return 401, {"WWW-Authenticate": 'Basic realm="registry"'}, b""

    fake.behaviour = behaviour
    assert fake.ask(Login("alice", "secret")).digest == DIGEST
    assert [headers.get("authorization") for _, headers in fake.asked] == [None, BASIC]


def test_a_token_is_fetched(fake: FakeRegistry) -> None:
    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, b'{"token":"T"}' if headers.get("authorization") == BASIC else b"{}"
        if headers.get("authorization") == "Bearer T":
            return 200, {"Content-Type": OCI_INDEX}, MANIFEST
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{fake.host}/token",service="registry"'}, b""

    fake.behaviour = behaviour
    assert fake.ask(Login("alice", "secret")).digest == DIGEST
    assert "scope=repository%3Ateam%2Fapp%3Apull" in fake.asked[1][0]


def answering(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _path, _headers: (status, sent, body)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        pytest.param(answering(404, b'{"errors":[]}'), NoSuchTarget, id="no such tag"),
        pytest.param(answering(401), NotAuthorised, id="denied without a challenge"),
        pytest.param(answering(401, WWW_Authenticate='Basic realm="x"'), NotAuthorised, id="no login"),
        pytest.param(answering(401, WWW_Authenticate="Negotiate"), NotAuthorised, id="an unknown kind of login"),
        pytest.param(answering(403), NotAuthorised, id="forbidden"),
        pytest.param(answering(500), BadResponse, id="broken"),
        pytest.param(answering(302, Location="http://127.0.0.1:1/"), BadResponse, id="redirected"),
        pytest.param(answering(200, b"<html>", Content_Type="text/html"), BadResponse, id="no registry"),
        pytest.param(
            answering(200, MANIFEST, Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws"),
            BadResponse,
            id="schema 1",
        ),
        pytest.param(
            answering(200, MANIFEST, Content_Type=OCI_INDEX, Docker_Content_Digest="sha256:" + "0" * 64),
            BadResponse,
            id="other bytes than it says",
        ),
        pytest.param(
            answering(200, MANIFEST, Content_Type=OCI_INDEX, Content_Length=str(2**40)), BadResponse, id="endless"
        ),
    ],
)
def test_what_cannot_be_signed(fake: FakeRegistry, behaviour: Behaviour, error: type[TrustError]) -> None:
    fake.behaviour = behaviour
    with pytest.raises(error) as caught:
        fake.ask()
    assert caught.value.next_step
    assert "trust server" not in caught.value.message.lower()


def test_a_refused_password_is_the_registrys_matter(fake: FakeRegistry) -> None:
    fake.behaviour = answering(401, WWW_Authenticate='Basic realm="x"')
    with pytest.raises(NotAuthorised, match="registry") as caught:
        fake.ask(Login("alice", "secret"))
    assert "docker login" in caught.value.next_step
    assert "secret" not in caught.value.message


def test_a_registry_that_is_not_there(fake: FakeRegistry) -> None:
    image = ImageName.parse("127.0.0.1:1/team/app:v1")
    with Registry.connect(image.gun.host, None) as registry, pytest.raises(ServerUnreachable):
        registry.manifest(image)


def test_other_hosts_are_asked_over_https() -> None:
    for host, url in {
        "registry.example.com": "https://registry.example.com",
        "docker.io": "https://registry-1.docker.io",
        "localhost:5000": "http://localhost:5000",
        "127.0.0.1:5000": "http://127.0.0.1:5000",
        "127.0.0.1.example.com": "https://127.0.0.1.example.com",
    }.items():
        assert Registry(host, None, None).url == url  # type: ignore[arg-type]  # nothing is sent
