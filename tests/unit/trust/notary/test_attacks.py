"""The table of attacks: each by its name, on somebody who knows nothing and on somebody who has read before.

Everything here is as well made as an attacker can: hashes fit, and whoever's keys are said to be stolen signed.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from signing.trust.errors import (
    BadResponse,
    ExpiredMetadata,
    HashMismatch,
    KeyIdMismatch,
    LengthMismatch,
    MalformedMetadata,
    NoSuchTarget,
    Rollback,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary import client
from signing.trust.tuf import canonical, roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, FileMeta, RoleKeys, Signature, Targets, Timestamp
from tests.simulator import GUN, NOON, Clock, Owner, Simulator, signed_as, signed_by
from tests.unit.trust.notary.conftest import Reader, digest

ALICE, BOB = "targets/alice", "targets/bob"
BASE = (roles.ROOT, roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP)
EVERY = (*BASE, ALICE)


@dataclass
class Scene:
    """An honest repository, and the means to spoil it."""

    owner: Owner
    simulator: Simulator
    clock: Clock

    def said(self, role: str) -> bytes:
        return self.simulator.said(GUN, role)

    def keys_of(self, role: str) -> list[tuple[str, PrivateKey]]:
        if role == roles.ROOT:
            return [(self.owner.certificate.key_id, self.owner.root_key)]
        server = self.simulator.keys[GUN]
        keys = [server.of(role)] if role in (roles.SNAPSHOT, roles.TIMESTAMP) else self.owner.keys_of(role)
        return [(key.key_id, key) for key in keys]

    def tell(self, role: str, data: bytes) -> None:
        """Have the server tell these bytes for a role, with parents that promise them."""
        envelope = Envelope({"version": 2}, (), data)
        if role == roles.TIMESTAMP:
            self.simulator.put(GUN, role, envelope)
            self.simulator.lies["timestamp.json"] = data
        elif role == roles.SNAPSHOT:
            self.simulator.put(GUN, role, envelope)
            self.simulator.put_timestamp(GUN)
            self.simulator.lies["timestamp.json"] = self.said(roles.TIMESTAMP)  # an honest server would renew both
        else:
            self.owner.put({role: envelope})
        if role == roles.ROOT:
            self.simulator.lies["root.json"] = data

    def signed_anew(self, role: str, raw: str) -> bytes:
        """Sign what a file says now."""
        signed = json.loads(raw)["signed"]
        payload = canonical.encode(signed)
        return Envelope.build(signed, tuple(key.signature(keyid, payload) for keyid, key in self.keys_of(role))).raw

    def tell_signed(self, role: str, change: Callable[[dict[str, Any]], object], *keys: tuple[str, PrivateKey]) -> None:
        """Have the server tell a role's next file, changed, and signed with the role's keys or with these."""
        signed = copy.deepcopy(Envelope.parse(self.said(role)).signed)
        signed["version"] += 1
        change(signed)
        payload = canonical.encode(signed)
        signatures = tuple(key.signature(keyid, payload) for keyid, key in keys or self.keys_of(role))
        self.tell(role, Envelope.build(signed, signatures).raw)


@pytest.fixture
def scene(owner: Owner, simulator: Simulator, clock: Clock) -> Scene:
    client.resident.clear()
    return Scene(owner, simulator, clock)


def require_refused(victim: Reader, refusal: type[TrustError]) -> None:
    """The attack is named, nothing of it is remembered, and it says what to do next."""
    before = {role: victim.cache.load(role) for role in EVERY}
    with pytest.raises(refusal) as caught:
        victim.refresh()
    assert type(caught.value) is refusal, caught.value
    assert caught.value.message.endswith(".")
    assert caught.value.next_step
    assert {role: victim.cache.load(role) for role in EVERY} == before


def require_left_out(victim: Reader, role: str, refusal: type[TrustError]) -> None:
    """The bad delegation is named, the rest stays usable, and what it alone signed does not count."""
    trusted = victim.refresh()
    assert type(trusted.left_out[role]) is refusal, trusted.left_out[role]
    assert role not in trusted.delegations
    assert "bob" in trusted.find_released("v1").signers
    assert "alice" not in trusted.find_released("v1").signers


def require_named(victim: Reader, role: str, refusal: type[TrustError]) -> None:
    if roles.is_delegation(role):
        require_left_out(victim, role, refusal)
    else:
        require_refused(victim, refusal)


# Signatures


@pytest.mark.parametrize("role", EVERY)
def test_unsigned(role: str, scene: Scene, victim: Reader) -> None:
    signed = Envelope.parse(scene.said(role)).signed | {"version": 9}
    scene.tell(role, Envelope.build(signed, ()).raw)
    require_named(victim, role, _of_root(role, victim, UnmetThreshold))


@pytest.mark.parametrize("role", EVERY)
def test_a_foreign_key(role: str, scene: Scene, victim: Reader) -> None:
    stranger = PrivateKey.generate()
    scene.tell_signed(role, lambda _: None, (stranger.key_id, stranger))
    require_named(victim, role, _of_root(role, victim, UnmetThreshold))


@pytest.mark.parametrize("role", EVERY)
def test_a_stolen_key_id(role: str, scene: Scene, victim: Reader) -> None:
    ((keyid, _),) = scene.keys_of(role)
    scene.tell_signed(role, lambda _: None, (keyid, PrivateKey.generate()))
    require_named(victim, role, _of_root(role, victim, UnmetThreshold))


def _of_root(role: str, victim: Reader, refusal: type[TrustError]) -> type[TrustError]:
    """A root nobody signed is a replaced root to who knows the true one."""
    return UntrustedRoot if role == roles.ROOT and victim.cache.load(role) else refusal


@pytest.mark.parametrize("role", EVERY)
def test_a_flipped_bit(role: str, scene: Scene, victim: Reader) -> None:
    data = scene.said(role)
    at = data.index(b'"version":') + len(b'"version":')
    scene.tell(role, data[:at] + b"8" + data[at + 1 :])
    require_named(victim, role, _of_root(role, victim, UnmetThreshold))


@pytest.mark.parametrize("method", ["rsapss", "rsapkcs1v15", "eddsa", "ecdsa-x509", "none", ""])
def test_method_confusion(method: str, scene: Scene, victim: Reader) -> None:
    envelope = Envelope.parse(scene.said(roles.TARGETS))
    labelled = replace(envelope.signatures[0], method=method)
    scene.tell(roles.TARGETS, Envelope.build(envelope.signed, (labelled,)).raw)
    require_refused(victim, UnmetThreshold)


@pytest.mark.parametrize("keytype", ["rsa", "ed25519", "rsa-x509", "ecdsa-x509"])
def test_key_type_confusion(keytype: str, scene: Scene, victim: Reader) -> None:
    """The key's own bytes under another type, under the id that belongs to both."""
    confused = PublicKey(keytype, scene.owner.targets_key.public.public)
    _with_key(scene, roles.TARGETS, confused)
    _sign_targets(scene, (confused.key_id, scene.owner.targets_key))
    require_refused(victim, UnmetThreshold)


def _with_key(scene: Scene, role: str, *keys: PublicKey, threshold: int = 1, keyids: tuple[str, ...] = ()) -> None:
    root = scene.owner.root
    listed = keyids or tuple(key.key_id for key in keys)
    scene.owner.root = replace(
        root,
        version=root.version + 1,
        keys={**root.keys, **dict(zip(listed, keys, strict=True))},
        roles={**root.roles, role: RoleKeys(listed, threshold)},
    )
    scene.simulator.put(GUN, roles.ROOT, scene.owner.signed_root())


def _sign_targets(scene: Scene, *keys: tuple[str, PrivateKey]) -> None:
    made = replace(scene.owner.files[roles.TARGETS], version=9)
    scene.owner.put({roles.TARGETS: signed_as(made, *keys)})


def test_threshold_unmet(scene: Scene, victim: Reader) -> None:
    keys = [scene.owner.targets_key, PrivateKey.generate()]
    _with_key(scene, roles.TARGETS, *(key.public for key in keys), threshold=2)
    _sign_targets(scene, (keys[0].key_id, keys[0]))
    require_refused(victim, UnmetThreshold)


@pytest.mark.parametrize("threshold", [0, -1, "1", None, True, [], {}, 10**15])
def test_threshold_that_is_none(threshold: object, scene: Scene, victim: Reader) -> None:
    refusal = UnmetThreshold if threshold == 10**15 else MalformedMetadata
    if threshold == 10**15:
        scene.tell_signed(roles.ROOT, lambda signed: signed["roles"]["targets"].update(threshold=threshold))
    else:
        scene.tell_signed(roles.ROOT, lambda signed: signed["roles"]["root"].update(threshold=threshold))
    require_refused(victim, refusal)


@pytest.mark.parametrize("threshold", [0, -1, "1", None, True])
def test_a_delegations_threshold_that_is_none(threshold: object, scene: Scene, victim: Reader) -> None:
    scene.tell_signed(roles.TARGETS, lambda signed: signed["delegations"]["roles"][0].update(threshold=threshold))
    require_refused(victim, MalformedMetadata)


def test_one_key_under_two_ids(scene: Scene, victim: Reader) -> None:
    """Bare and in a certificate it has two ids, and both are right."""
    key = scene.owner.targets_key
    certified = root_certificate(key, GUN, scene.clock())
    _with_key(scene, roles.TARGETS, key.public, certified, threshold=2)
    _sign_targets(scene, (key.key_id, key), (certified.key_id, key))
    require_refused(victim, UnmetThreshold)


def test_one_key_under_a_made_up_id(scene: Scene, victim: Reader) -> None:
    key = scene.owner.targets_key
    _with_key(scene, roles.TARGETS, key.public, key.public, threshold=2, keyids=(key.key_id, "0" * 64))
    _sign_targets(scene, (key.key_id, key), ("0" * 64, key))
    require_refused(victim, KeyIdMismatch)


def test_duplicate_signatures(scene: Scene, victim: Reader) -> None:
    key, other = scene.owner.targets_key, PrivateKey.generate()
    _with_key(scene, roles.TARGETS, key.public, other.public, threshold=2)
    _sign_targets(scene, (key.key_id, key), (key.key_id, key))
    require_refused(victim, UnmetThreshold)


def test_more_signatures_than_anybody_checks(scene: Scene, victim: Reader) -> None:
    envelope = Envelope.parse(scene.said(roles.TARGETS))
    scene.tell(roles.TARGETS, Envelope.build(envelope.signed, envelope.signatures * 257).raw)
    require_refused(victim, MalformedMetadata)


def test_a_der_signature(scene: Scene, victim: Reader) -> None:
    envelope = Envelope.parse(scene.said(roles.TARGETS))
    raw = envelope.signatures[0].sig
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    scene.tell(roles.TARGETS, Envelope.build(envelope.signed, (replace(envelope.signatures[0], sig=der),)).raw)
    require_refused(victim, UnmetThreshold)


# Keys


@pytest.mark.parametrize("weak", ["RSA 1024", "P-224", "P-192", "secp256k1"])
def test_a_weak_key(weak: str, scene: Scene, victim: Reader) -> None:
    """The signature is right, the key is not strong enough to say anything."""
    curves = {"P-224": ec.SECP224R1(), "P-192": ec.SECP192R1(), "secp256k1": ec.SECP256K1()}
    if weak in curves:
        secret: Any = ec.generate_private_key(curves[weak])
        sig = secret.sign(b"x", ec.ECDSA(hashes.SHA256()))
    else:
        secret = rsa.generate_private_key(65537, 1024)
        sig = b"x" * 128
    public = secret.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = PublicKey("ecdsa" if weak in curves else "rsa", public)
    _with_key(scene, roles.TARGETS, key)
    made = replace(scene.owner.files[roles.TARGETS], version=9)
    signature = Signature(key.key_id, "ecdsa" if weak in curves else "rsapss", sig)
    scene.owner.put({roles.TARGETS: Envelope.build(made.to_signed(), (signature,))})
    require_refused(victim, UnmetThreshold)


@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP])
def test_a_key_id_that_is_not_the_keys_hash(role: str, scene: Scene, victim: Reader) -> None:
    thief = PrivateKey.generate()
    ((keyid, _),) = scene.keys_of(role)
    root = scene.owner.root
    scene.owner.root = replace(root, version=root.version + 1, keys={**root.keys, keyid: thief.public})
    scene.simulator.put(GUN, roles.ROOT, scene.owner.signed_root())
    scene.tell_signed(role, lambda _: None, (keyid, thief))
    if role == roles.TARGETS:
        scene.simulator.put_snapshot(GUN)
    require_refused(victim, KeyIdMismatch)


def test_a_delegations_key_id_that_is_not_the_keys_hash(scene: Scene, victim: Reader) -> None:
    thief, alice = PrivateKey.generate(), scene.owner.signer_keys["alice"].key_id
    owner = scene.owner
    file = owner.files[roles.TARGETS]
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, keys={**file.keys, alice: thief.public})})
    bob = owner.signer_keys["bob"]
    owner.put({roles.RELEASES: signed_by(replace(owner.files[roles.RELEASES], version=9), bob)})
    scene.tell_signed(ALICE, lambda _: None, (alice, thief))
    require_left_out(victim, ALICE, KeyIdMismatch)


# Root certificates


def _certified(key: PrivateKey, common_name: str, begins: Any, ends: Any) -> PublicKey:
    secret = key._key  # type: ignore[attr-defined]  # a certificate signs itself with the key inside
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
    builder = builder.serial_number(7).not_valid_before(begins).not_valid_after(ends)
    return PublicKey("ecdsa-x509", builder.sign(secret, hashes.SHA256()).public_bytes(Encoding.PEM))


@pytest.mark.parametrize(
    ("common_name", "begins", "ends", "refusal"),
    [
        (GUN, -400, -1, ExpiredMetadata),
        (GUN, 2, 400, UntrustedRoot),
        ("registry.example/another/app", -1, 400, UntrustedRoot),
        (f"{GUN}/below", -1, 400, UntrustedRoot),
    ],
    ids=["expired", "not yet valid", "for another GUN", "for a longer GUN"],
)
def test_a_root_certificate(
    common_name: str, begins: int, ends: int, refusal: type[TrustError], scene: Scene, victim: Reader
) -> None:
    owner, now = scene.owner, scene.clock()
    key = _certified(owner.root_key, common_name, now + timedelta(days=begins), now + timedelta(days=ends))
    old = (owner.certificate.key_id, owner.root_key)
    owner.certificate = key
    owner.put({roles.ROOT: owner.next_root(key, old)})
    require_refused(victim, refusal)


# Shape: nothing that two parsers read differently


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path to every object of a document that has members."""
    if isinstance(value, dict):
        if value:
            yield path
        for name, item in value.items():
            yield from objects(item, (*path, name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from objects(item, (*path, at))


def with_member(value: Any, path: tuple[Any, ...], text: Callable[[str, Any], str], here: tuple[Any, ...] = ()) -> str:
    """Write a document with one more member, as `text` writes it, in front of the first of the object at `path`."""
    if isinstance(value, dict):
        members = [f"{json.dumps(name)}:{with_member(item, path, text, (*here, name))}" for name, item in value.items()]
        if here == path:
            name, item = next(iter(value.items()))
            members.insert(0, text(name, item))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(with_member(item, path, text, (*here, at)) for at, item in enumerate(value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("role", EVERY)
def test_a_duplicate_member_in_any_object(role: str, scene: Scene, victim: Reader) -> None:
    """Whatever the first of the two says; the last one is what was signed."""
    document = json.loads(scene.said(role))
    paths = list(objects(document))
    assert len(paths) > 5
    state = scene.simulator.state()
    for path in paths:
        scene.simulator.restore(copy.deepcopy(state))
        raw = with_member(document, path, lambda name, _: f"{json.dumps(name)}:null").encode()
        scene.tell(role, raw)
        require_named(again(victim), role, MalformedMetadata)


def again(victim: Reader) -> Reader:
    """Give a victim with the same memory, which this attack does not change for the next."""
    return replace(victim, cache=copy.deepcopy(victim.cache))


MAPS = ("targets", "keys", "meta")
"""Objects whose members are names, not parts of the format: two that differ by their case are two names."""


@pytest.mark.parametrize("role", EVERY)
def test_a_member_that_differs_by_its_case_in_any_object(role: str, scene: Scene, victim: Reader) -> None:
    document = json.loads(scene.said(role))
    paths = [path for path in objects(document) if path[-1:] not in [(name,) for name in MAPS]]
    state = scene.simulator.state()
    for path in paths:
        for spelled in (str.upper, str.capitalize, lambda name: name.replace("s", "\u017f").replace("k", "\u212a")):
            scene.simulator.restore(copy.deepcopy(state))
            raw = with_member(document, path, lambda name, item, spell=spelled: _member(_another(spell, name), item))
            scene.tell(role, raw.encode() if path[:1] != ("signed",) else scene.signed_anew(role, raw))
            require_named(again(victim), role, MalformedMetadata)


def _member(name: str, value: Any) -> str:
    return f"{json.dumps(name)}:{json.dumps(value)}"


def _another(spell: Callable[[str], str], name: str) -> str:
    spelled = spell(name)
    return spelled if spelled != name else name.swapcase()


def of_targets(snapshot: dict[str, Any]) -> dict[str, Any]:
    promised: dict[str, Any] = snapshot["meta"]["targets"]
    return promised


WRONG_VALUES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    **{
        f"version {value!r}": (roles.TARGETS, lambda signed, value=value: signed.update(version=value))
        for value in (None, "2", 0, -1, True, [], {})
    },
    **{
        f"expires {value!r}": (roles.TARGETS, lambda signed, value=value: signed.update(expires=value))
        for value in (None, 0, "", "tomorrow", "2029-13-01T00:00:00Z", "2029-01-01", "9999-12-31T23:59:59-23:59")
    },
    **{
        f"_type {value!r}": (roles.TARGETS, lambda signed, value=value: signed.update(_type=value))
        for value in (None, "targets", "Root", "Snapshot", 1)
    },
    **{
        f"{name} {value!r}": (roles.TARGETS, lambda signed, name=name, value=value: signed.update({name: value}))
        for name in ("targets", "delegations")
        for value in ([], "x", 1, True)
    },
    **{
        f"meta {value!r}": (roles.SNAPSHOT, lambda signed, value=value: signed.update(meta=value))
        for value in (None, [], {}, "x", {"root": None, "targets": None})
    },
    **{
        f"keys {value!r}": (roles.ROOT, lambda signed, value=value: signed.update(keys=value))
        for value in (None, [], {}, "x")
    },
    **{
        f"roles {value!r}": (roles.ROOT, lambda signed, value=value: signed.update(roles=value))
        for value in (None, [], {}, "x", {"root": None})
    },
    **{
        f"keyids {value!r}": (roles.ROOT, lambda signed, value=value: signed["roles"]["targets"].update(keyids=value))
        for value in ("x", {}, [None], [1], ["unknown"])
    },
    **{
        f"length {value!r}": (roles.SNAPSHOT, lambda signed, value=value: of_targets(signed).update(length=value))
        for value in (None, -1, "5", True)
    },
    **{
        f"hashes {value!r}": (roles.SNAPSHOT, lambda signed, value=value: of_targets(signed).update(hashes=value))
        for value in (None, {}, [], {"sha512": ""}, {"sha256": None}, {"sha256": "AAAA"}, {"sha256": "!"}, {"md5": ""})
    },
    "no root in the snapshot": (roles.SNAPSHOT, lambda signed: signed["meta"].pop("root")),
    "no targets in the snapshot": (roles.SNAPSHOT, lambda signed: signed["meta"].pop("targets")),
    "a tag without hashes": (roles.TARGETS, lambda signed: signed["targets"]["v0"].pop("hashes")),
    "a tag without SHA-256": (roles.TARGETS, lambda signed: signed["targets"]["v0"].update(hashes={"sha512": "AA=="})),
    "a tag without a length": (roles.TARGETS, lambda signed: signed["targets"]["v0"].pop("length")),
    "a tag of negative length": (roles.TARGETS, lambda signed: signed["targets"]["v0"].update(length=-1)),
    "a tag that is null": (roles.TARGETS, lambda signed: signed["targets"].update(v0=None)),
    "a private key": (
        roles.ROOT,
        lambda signed: next(iter(signed["keys"].values()))["keyval"].update(private="AAAA"),
    ),
    "an unknown kind of key": (roles.ROOT, lambda signed: next(iter(signed["keys"].values())).update(keytype="dsa")),
    **{
        f"a delegation named {name!r}": (
            roles.TARGETS,
            lambda signed, name=name: signed["delegations"]["roles"][0].update(name=name),
        )
        for name in (
            "targets/../root", "targets/", "targets//x", "/etc/passwd", "root", "targets", "targets/a/../../snapshot",
            "targets/A", "targets/\x1b[2J", "targets/" + "x" * 300, "", None, 7, "targets/a/b",
        )
    },
    "a delegation listed twice": (
        roles.TARGETS,
        lambda signed: signed["delegations"]["roles"].append(signed["delegations"]["roles"][0]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_VALUES)
def test_null_and_wrong_types(wrong: str, scene: Scene, victim: Reader) -> None:
    """Signed by the role's own keys, so that nothing but the reader stands in the way."""
    role, change = WRONG_VALUES[wrong]
    scene.tell_signed(role, change)
    require_refused(victim, MalformedMetadata)


ODD_FILES: dict[str, Callable[[bytes], bytes]] = {
    "bad UTF-8": lambda data: data.replace(b'"version"', b'"version\xff"'),
    "trailing data": lambda data: data + b"{}",
    "a second document": lambda data: data + data,
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "a fraction": lambda data: data.replace(b'"version":', b'"x":1.5,"version":'),
    "not a number": lambda data: data.replace(b'"version":', b'"x":NaN,"version":'),
    "a huge number": lambda data: data.replace(b'"version":', b'"x":' + b"9" * 5000 + b',"version":'),
    "half a surrogate": lambda data: data.replace(b'"version":', b'"x":"\\ud800","version":'),
    "too deep": lambda data: data.replace(b'"version":', b'"x":' + b"[" * 5000 + b"]" * 5000 + b',"version":'),
    "bottomless": lambda data: data.replace(b'"version":', b'"x":' + b"[" * 100_000),
    "more values than anybody reads": lambda data: data.replace(
        b'"version":', b'"x":[' + b"[]," * 400_000 + b'0],"version":'
    ),
    "not an object": lambda _: b"[]",
    "nothing": lambda _: b"",
    "signatures that are an object": lambda data: data.replace(b'"signatures":[', b'"signatures":{"x":[') + b"}",
    "a signature that is null": lambda data: data.replace(b'"signatures":[', b'"signatures":[null,'),
    "a signature of null": lambda data: data.replace(b'"sig":"', b'"sig":null,"x":"'),
    "a signature that is not base64": lambda data: data.replace(b'"sig":"', b'"sig":"*'),
}


@pytest.mark.parametrize("odd", ODD_FILES)
@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, ALICE])
def test_an_odd_file(role: str, odd: str, scene: Scene, victim: Reader) -> None:
    scene.tell(role, ODD_FILES[odd](scene.said(role)))
    require_named(victim, role, MalformedMetadata)


# Times


@pytest.mark.parametrize("role", EVERY)
def test_expired(role: str, scene: Scene, victim: Reader) -> None:
    scene.tell_signed(role, lambda signed: signed.update(expires="2026-11-24T11:59:59Z"))
    require_named(victim, role, ExpiredMetadata)


def test_a_freeze(scene: Scene, victim: Reader) -> None:
    """The server goes on to show what was true two weeks ago."""
    shown = scene.said(roles.TIMESTAMP)
    scene.simulator.lies["timestamp.json"] = shown
    scene.owner.sign("v3", digest("a fix"), "alice")
    scene.clock.now = Timestamp.from_envelope(Envelope.parse(shown)).expires + timedelta(microseconds=1)
    assert scene.clock.now < NOON + timedelta(days=16)
    require_refused(victim, ExpiredMetadata)


# What was seen before: only a cache can tell


@pytest.mark.parametrize("role", [*BASE, ALICE])
def test_a_rollback(role: str, scene: Scene, newcomer: Reader) -> None:
    old = scene.said(role)
    if role == roles.ROOT:
        scene.owner.publish({roles.ROOT: scene.owner.rotate_root()})
    elif role == roles.TARGETS:
        scene.owner.add_signer("carol")
    else:
        scene.owner.sign("v3", digest("three"), "alice")
    newcomer.refresh(must_reach_server=True)
    scene.tell(role, old)
    if role == roles.ROOT:
        with pytest.raises(Rollback):
            newcomer.refresh(must_reach_server=True)
    else:
        require_refused(newcomer, Rollback)


@pytest.mark.parametrize("role", [*BASE, ALICE])
def test_the_same_version_with_other_bytes(role: str, scene: Scene, newcomer: Reader) -> None:
    newcomer.refresh()
    scene.tell_signed(role, lambda signed: signed.update(version=signed["version"] - 1, expires="2028-01-01T00:00:00Z"))
    if role == roles.ROOT:
        with pytest.raises(Rollback):
            newcomer.refresh(must_reach_server=True)
    else:
        require_refused(newcomer, Rollback)


def test_a_rotation_without_the_old_root_key(scene: Scene, newcomer: Reader) -> None:
    newcomer.refresh()
    owner = scene.owner
    owner.rotate_root()
    owner.put({roles.ROOT: signed_as(owner.root, (owner.certificate.key_id, owner.root_key))})
    require_refused(newcomer, UntrustedRoot)


def test_a_rotation_without_the_new_root_key(scene: Scene, victim: Reader) -> None:
    owner = scene.owner
    old = (owner.certificate.key_id, owner.root_key)
    owner.rotate_root()
    owner.put({roles.ROOT: signed_as(owner.root, old)})
    require_refused(victim, UnmetThreshold)


def test_skipped_root_versions(scene: Scene, newcomer: Reader) -> None:
    newcomer.refresh()
    for _ in range(2):
        scene.owner.publish({roles.ROOT: scene.owner.rotate_root()})
    scene.simulator.lies["2.root.json"] = None
    require_refused(newcomer, UntrustedRoot)


# What belongs together


def test_mix_and_match(scene: Scene, victim: Reader) -> None:
    """An old file of tags under the newest snapshot: each of both was true once."""
    old = scene.said(roles.RELEASES)
    scene.owner.sign("v2", digest("a fix"), "alice")
    promised = FileMeta.of(scene.said(roles.RELEASES)).sha256
    scene.simulator.lies[f"targets/releases.{promised}.json"] = old
    with pytest.raises((HashMismatch, LengthMismatch)):
        victim.refresh()


HASH_LIES: dict[str, tuple[Callable[[bytes], bytes | None], type[TrustError]]] = {
    "other bytes": (lambda data: data.replace(b"2", b"3"), HashMismatch),
    "a byte more": (lambda data: data + b" ", LengthMismatch),
    "a byte less": (lambda data: data[:-1], LengthMismatch),
    "padded": (lambda data: data + b" " * 2**20, LengthMismatch),
    "nothing": (lambda _: b"", LengthMismatch),
    "not there": (lambda _: None, BadResponse),
}


@pytest.mark.parametrize("lie", HASH_LIES)
@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, ALICE, roles.RELEASES])
def test_other_than_promised(role: str, lie: str, scene: Scene, victim: Reader) -> None:
    """Anybody on the way can do this without a key, so nothing is left out for it."""
    scene.owner.add_signer("carol")
    scene.owner.sign("v9", digest("nine"), "alice")
    tell, refusal = HASH_LIES[lie]
    truth = scene.said(role)
    scene.simulator.lies[f"{role}.{FileMeta.of(truth).sha256}.json"] = tell(truth)
    require_refused(victim, refusal)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_wrong_hash(algorithm: str, scene: Scene, victim: Reader) -> None:
    size = {"sha256": 32, "sha512": 64}[algorithm]
    wrong = base64.b64encode(bytes(size)).decode()
    truth = scene.said(roles.TARGETS)
    scene.tell_signed(roles.SNAPSHOT, lambda signed: signed["meta"]["targets"]["hashes"].update({algorithm: wrong}))
    scene.simulator.lies[f"targets.{bytes(32).hex()}.json"] = truth
    require_refused(victim, HashMismatch)


def test_a_wrong_length(scene: Scene, victim: Reader) -> None:
    scene.tell_signed(roles.SNAPSHOT, lambda signed: signed["meta"]["targets"].update(length=10))
    require_refused(victim, LengthMismatch)


# Delegations


def test_a_tag_outside_the_paths_of_its_role(scene: Scene, victim: Reader) -> None:
    owner = scene.owner
    owner.delegate(roles.TARGETS, "targets/carol", [PrivateKey.generate()], paths=("carol-",))
    narrow = tuple(
        replace(item, paths=("v",)) if item.name == roles.RELEASES else item
        for item in owner.files[roles.TARGETS].delegations
    )
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=narrow)})
    owner.sign("evil", digest("evil"), "alice")
    trusted = victim.refresh()
    with pytest.raises(NoSuchTarget):
        trusted.find_released("evil")
    assert trusted.find_released("v1")


@pytest.mark.parametrize("below", [ALICE, BOB, "targets/alice/x/y", roles.RELEASES])
def test_a_cycle_of_delegations(below: str, scene: Scene, victim: Reader) -> None:
    """Back to itself, to a sibling, or past a level: a role may only delegate to what is directly below it."""
    scene.owner.delegate(ALICE, below, [scene.owner.signer_keys["alice"]])
    scene.owner.put({ALICE: scene.owner.next_file(ALICE)})
    require_left_out(victim, ALICE, MalformedMetadata)


def test_a_chain_of_delegations_without_end(scene: Scene, victim: Reader) -> None:
    role = ALICE
    for level in range(client.DEEPEST_DELEGATION + 5):
        scene.owner.delegate(role, f"{role}/d{level}", [scene.owner.signer_keys["alice"]])
        scene.owner.put({role: scene.owner.next_file(role)})
        role = f"{role}/d{level}"
        scene.owner.put({role: scene.owner.next_file(role)})
    trusted = victim.refresh()
    assert trusted.find_released("v1").signers == ("alice", "bob")
    assert [type(error) for error in trusted.left_out.values()] == [MalformedMetadata]


def test_a_huge_file_is_not_even_fetched(scene: Scene, victim: Reader) -> None:
    size = client.LARGEST_FILE + 1
    scene.tell_signed(roles.SNAPSHOT, lambda signed: signed["meta"]["targets"].update(length=size))
    require_refused(victim, LengthMismatch)
    assert not [name for name in scene.simulator.asked if name.startswith("targets")]


def test_empty_targets_by_a_stranger_hide_nothing(scene: Scene, victim: Reader) -> None:
    stranger = PrivateKey.generate()
    scene.owner.put({ALICE: signed_by(Targets(version=99, expires=scene.clock() + timedelta(days=9)), stranger)})
    require_left_out(victim, ALICE, UnmetThreshold)
