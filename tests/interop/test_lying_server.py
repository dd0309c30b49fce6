"""A trust server that lies: each lie has its name, and docker refuses it too."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from signing.trust.errors import (
    BadResponse,
    HashMismatch,
    LengthMismatch,
    MalformedMetadata,
    MetadataError,
    NoTrustData,
    Rollback,
    ServerUnreachable,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from tests.parts.docker_cli import DockerCli
from tests.parts.fixtures import TrustServer
from tests.parts.lying_server import Lie, LyingServer, honest
from tests.parts.ours import OurClient

# What a client refuses does not depend on who told the truth before; the real server starts faster.
pytestmark = pytest.mark.parametrize("trust_server", ["notary_server"], indirect=True)

DIGEST = hashlib.sha256(b"a manifest").hexdigest()


@dataclass
class Scene:
    """A signed repository behind a liar, a client that saw the truth before, and what the server said then."""

    gun: str
    liar: LyingServer
    owner: OurClient
    victim: OurClient
    said: dict[str, bytes] = field(default_factory=dict)

    def record(self, path: str, body: bytes) -> bytes:
        self.said[path.rpartition("/_trust/tuf/")[2]] = body
        return body


@pytest.fixture
def scene(
    tmp_path: Path, trust_server: TrustServer, new_client: Callable[[str], OurClient], gun: str
) -> Iterator[Scene]:
    owner = new_client("owner")
    owner.add_signer("alice", owner.generate_key("alice"), gun)
    owner.sign(gun, {"v1": (DIGEST, 500)})
    liar = LyingServer(tmp_path / "liar", trust_server.url, trust_server.ca_pem).start()
    victim = OurClient(tmp_path / "victim", liar.url, liar.ca_pem)
    scene = Scene(gun, liar, owner, victim)
    liar.lie = scene.record
    victim.refresh(gun)
    liar.lie = honest
    try:
        yield scene
    finally:
        liar.stop()


def is_file(path: str, role: str) -> bool:
    """Tell whether a path asks for this role's file, plain, by hash or by version."""
    name = path.rpartition("/_trust/tuf/")[2]
    return name == f"{role}.json" or name.startswith(f"{role}.") or name.endswith(f".{role}.json")


def changed(role: str, change: Callable[[bytes], bytes | None]) -> Lie:
    return lambda path, body: change(body) if is_file(path, role) else body


def flip_a_bit(body: bytes) -> bytes:
    """Change one digit inside the signed part and leave the JSON whole."""
    at = body.index(b'"version":') + len(b'"version":')
    return body[:at] + (b"7" if body[at : at + 1] != b"7" else b"8") + body[at + 1 :]


def break_signature(body: bytes) -> bytes:
    envelope = json.loads(body)
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[10] ^= 1
    whole = base64.b64encode(bytes(signature))
    return body.replace(envelope["signatures"][0]["sig"].encode(), whole)


LIES: list[tuple[str, Lie, type[TrustError]]] = [
    ("a bit of the timestamp flipped", changed("timestamp", flip_a_bit), UnmetThreshold),
    ("the timestamp's signature broken", changed("timestamp", break_signature), UnmetThreshold),
    ("a bit of the snapshot flipped", changed("snapshot", flip_a_bit), HashMismatch),
    ("a bit of the targets flipped", changed("targets", flip_a_bit), HashMismatch),
    ("the targets cut short", changed("targets", lambda body: body[:-20]), MetadataError),
    ("the targets grown", changed("targets", lambda body: body + b" " * 20), LengthMismatch),
    ("no JSON at all", changed("timestamp", lambda _body: b"<html>it works</html>"), BadResponse),
    ("JSON that is no metadata", changed("timestamp", lambda _body: b'{"signed":7}'), MalformedMetadata),
    ("no signature at all", changed("timestamp", lambda _body: b'{"signed":{},"signatures":[]}'), UnmetThreshold),
    ("a timestamp without end", changed("timestamp", lambda body: body + b" " * 2**21), BadResponse),
    ("a bit of the root flipped", changed("root", flip_a_bit), MetadataError),
    ("the root's signature broken", changed("root", break_signature), MetadataError),
]


@pytest.mark.parametrize(("lie", "refusal"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_a_new_client_refuses(lie: Lie, refusal: type[TrustError], scene: Scene, tmp_path: Path) -> None:
    newcomer = OurClient(tmp_path / "newcomer", scene.liar.url, scene.liar.ca_pem)
    scene.liar.lie = lie

    with pytest.raises(refusal):
        newcomer.refresh(scene.gun)


@pytest.mark.parametrize("lie", [lie[1] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_docker_refuses_the_same(lie: Lie, scene: Scene, docker_cli: DockerCli) -> None:
    """The same lies told to docker, so that we know they are lies to everybody."""
    deceived = replace(docker_cli, trust_url=scene.liar.url, ca_pem=scene.liar.ca_pem)
    scene.liar.lie = lie

    deceived.inspect(scene.gun).failed()


def test_an_older_timestamp_is_a_rollback(scene: Scene) -> None:
    old = scene.said["timestamp.json"]
    scene.owner.sign(scene.gun, {"v2": (DIGEST, 500)})
    scene.victim.refresh(scene.gun)
    scene.liar.lie = changed("timestamp", lambda _body: old)

    with pytest.raises(Rollback):
        scene.victim.refresh(scene.gun)


def test_an_older_snapshot_under_a_new_timestamp_is_refused(scene: Scene) -> None:
    (old,) = [body for name, body in scene.said.items() if name.startswith("snapshot.")]
    scene.owner.sign(scene.gun, {"v2": (DIGEST, 500)})
    scene.liar.lie = changed("snapshot", lambda _body: old)

    with pytest.raises(MetadataError):
        scene.victim.refresh(scene.gun)


def test_another_repositorys_files_are_refused(scene: Scene, new_gun: Callable[[], str], tmp_path: Path) -> None:
    """Everything about the other repository is in order, but its root certificate names another GUN."""
    other = new_gun()
    scene.owner.add_signer("alice", scene.owner.home / "alice.pub", other)
    newcomer = OurClient(tmp_path / "newcomer", scene.liar.url, scene.liar.ca_pem)
    truth = scene.liar.fetch_truth

    def swapped(method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        return truth(method, path.replace(scene.gun, other), body, headers)

    scene.liar.ask = swapped

    with pytest.raises(UntrustedRoot):
        newcomer.refresh(scene.gun)


def test_a_foreign_root_is_refused_by_who_saw_the_true_one(
    scene: Scene, new_client: Callable[[str], OurClient], trust_server: TrustServer
) -> None:
    """Somebody deleted the repository and began anew with a root of their own: the same GUN, not the same trust."""
    mallory = new_client("mallory")
    _delete(scene.liar, scene.gun)
    mallory.add_signer("mallory", mallory.generate_key("mallory"), scene.gun)
    mallory.sign(scene.gun, {"v1": (DIGEST, 500), "v2": (DIGEST, 500)})

    with pytest.raises(UntrustedRoot):
        scene.victim.refresh(scene.gun)


def _delete(server: LyingServer, gun: str) -> None:
    status, _, _ = server.ask("DELETE", f"/v2/{gun}/_trust/tuf/", b"", {})
    assert status == 200


def test_a_deleted_repository_is_not_shown_from_memory(scene: Scene) -> None:
    scene.liar.lie = lambda _path, _body: None

    with pytest.raises(TrustError):
        _must_reach(scene.victim, scene.gun)


def test_no_trust_data_has_its_own_name(scene: Scene, tmp_path: Path) -> None:
    newcomer = OurClient(tmp_path / "newcomer", scene.liar.url, scene.liar.ca_pem)
    scene.liar.lie = lambda _path, _body: None

    with pytest.raises(NoTrustData):
        newcomer.refresh(scene.gun)


def test_a_server_with_a_foreign_certificate_is_unreachable(scene: Scene, tmp_path: Path) -> None:
    """Also on loopback, where docker would not look at the certificate."""
    stranger = OurClient(tmp_path / "stranger", scene.liar.url, scene.owner.ca_pem)

    with pytest.raises(ServerUnreachable):
        stranger.refresh(scene.gun)


def test_after_a_refused_lie_the_truth_is_accepted_again(scene: Scene) -> None:
    scene.owner.sign(scene.gun, {"v2": (DIGEST, 500)})
    scene.liar.lie = changed("snapshot", flip_a_bit)
    with pytest.raises(HashMismatch):
        scene.victim.refresh(scene.gun)
    scene.liar.lie = honest

    assert [tag.tag for tag in scene.victim.refresh(scene.gun).released()] == ["v1", "v2"]


def _must_reach(client: OurClient, gun: str) -> None:
    from signing.trust.notary.cache import FileCache
    from signing.trust.notary.client import refresh
    from signing.trust.notary.gun import Gun
    from signing.trust.notary.transport import HttpsTransport

    name = Gun.parse(gun)
    with HttpsTransport(client.url, ca_pem=client.ca_pem) as transport:
        refresh(name, transport, FileCache(client.trust_dir, name), must_reach_server=True)
