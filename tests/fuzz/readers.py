"""Everything of the trust core that reads what others wrote, each with the truth to measure it by."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from signing.trust.errors import MalformedMetadata, TooLarge, TrustError
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import client
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.changelist import Change
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.inspect import describe, image_json, images_json, pretty, to_json
from signing.trust.notary.root_rules import check_root, read_root
from signing.trust.tuf import canonical, roles, shape
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, FileMeta, Root, Signature, Snapshot, Targets, Timestamp
from tests.fuzz import forms
from tests.simulator import NOON, Clock, Owner, Simulator
from tests.unit.trust.samples import DATA, GUN, ROLE_FILES, metadata, passphrase_of

KINDS: dict[str, type[Root | Snapshot | Targets | Timestamp]] = {
    roles.ROOT: Root,
    roles.SNAPSHOT: Snapshot,
    roles.TIMESTAMP: Timestamp,
}


class WrongAccept(AssertionError):
    """A damaged document passed for something that nobody signed or wrote."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A document, and what reads it: it raises TrustError or nothing, and WrongAccept where it was fooled."""

    name: str
    document: bytes
    read: Callable[[bytes], None]


def readers() -> list[Reader]:
    """Give every pair of document and reader."""
    return [
        *(Reader(f"file {role}", metadata(role), functools.partial(read_file, role)) for role in ROLE_FILES),
        *(Reader(f"repository {role}", metadata(role), functools.partial(read_all, role)) for role in ROLE_FILES),
        *(Reader(f"signed {role}", _insider().said(role), functools.partial(read_signed, role)) for role in _ROLES),
        *(Reader(f"change {path.name}", path.read_bytes(), read_change) for path in _files("changelist/*.change")),
        *(Reader(f"public key {path.name}", path.read_bytes(), read_public_key) for path in _files("keys/*.pub")),
        Reader("certificate", forms.certificate(), forms.read_certificate),
        *(Reader(f"answer {name}", data, forms.read_answer) for name, data in forms.ANSWERS.items()),
        *(Reader(f"private key {path.name}", path.read_bytes(), read_private_key) for path in _files("keys/*.key")),
    ]


def _files(pattern: str) -> list[Any]:
    return sorted(DATA.glob(pattern))


def read_file(role: str, data: bytes) -> None:
    """Read one file: both ways of reading have to agree, and only what was signed has its signatures."""
    try:
        envelope = Envelope.parse(data)
    except MalformedMetadata:
        _require_malformed(data)
        raise
    if (envelope.signed, envelope.payload, envelope.signatures) != _read_plainly(data):
        raise WrongAccept("the two ways of reading a file do not find the same")
    kind = KINDS.get(role, Targets)
    content = kind.from_envelope(envelope)
    if content != kind.from_signed(envelope.signed):
        raise WrongAccept("the two ways of reading a list of targets do not find the same")
    if role == roles.ROOT:
        check_root(read_root(data), GUN, NOON)
    else:
        _truth().role(role).require_threshold(envelope)
    if envelope.payload != Envelope.parse(metadata(role)).payload:
        raise WrongAccept(f"{role} was changed and still counts as signed")


def _require_malformed(data: bytes) -> None:
    try:
        _read_plainly(data)
    except MalformedMetadata:
        return
    raise WrongAccept("a file is malformed in one way of reading and not in the other")


def _read_plainly(data: bytes) -> tuple[Any, bytes, tuple[Signature, ...]]:
    members = shape.members(canonical.parse(data), "the file", ("signed", "signatures"))
    signed = shape.mapping(members["signed"], "the `signed` part of the file")
    listed = shape.list_or_null(members["signatures"], "signatures")
    return signed, canonical.encode(signed), tuple(Signature.from_json(item) for item in listed)


def read_all(role: str, data: bytes) -> None:
    """Read a repository one of whose files is damaged: it says the truth, or nothing."""
    client.resident.clear()
    files = {name: metadata(name) for name in ROLE_FILES} | {role: data}
    trusted = refresh(Gun(GUN), _Shelf(files), MemoryCache(), now=Clock())
    if trusted.released() != _truth().released or trusted.left_out:
        raise WrongAccept(f"with a damaged {role} the repository says something else")


class _Insider:
    """A repository whose every key is in the wrong hands: whatever is written has the right signatures and hashes."""

    def __init__(self) -> None:
        self.simulator = Simulator()
        self.owner = Owner(self.simulator, Clock()).initialise()
        self.owner.sign("v0", "00" * 32)
        self.owner.add_signer("alice")
        self.owner.add_signer("alice/tools")
        self.owner.sign("v1", "11" * 32, "alice", "alice/tools")
        self.honest = self.simulator.state()

    def said(self, role: str) -> bytes:
        return self.simulator.said(self.owner.gun, role)

    def publish(self, role: str, signed: dict[str, Any]) -> None:
        files, current = self.honest
        self.simulator.restore(({gun: dict(held) for gun, held in files.items()}, dict(current)))
        self.simulator.current = {gun: dict(held) for gun, held in current.items()}
        payload = canonical.encode(signed)
        keys = self._keys(role)
        envelope = Envelope.build(signed, tuple(key.signature(keyid, payload) for keyid, key in keys))
        self.simulator.files[self.owner.gun][f"{role}.json"] = envelope.raw
        held = self.simulator.current[self.owner.gun]
        held[role] = replace(held[role], data=envelope.raw)
        self._name_by_hash(role, envelope.raw)
        if role not in (roles.SNAPSHOT, roles.TIMESTAMP):
            self.simulator.put_snapshot(self.owner.gun)
        elif role == roles.SNAPSHOT:
            self.simulator.put_timestamp(self.owner.gun)
        else:
            self.simulator.lies["timestamp.json"] = envelope.raw
            return
        self.simulator.lies.clear()

    def _name_by_hash(self, role: str, data: bytes) -> None:
        self.simulator.files[self.owner.gun][f"{role}.{FileMeta.of(data).sha256}.json"] = data

    def _keys(self, role: str) -> list[tuple[str, PrivateKey]]:
        if role == roles.ROOT:
            return [(self.owner.certificate.key_id, self.owner.root_key)]
        server = self.simulator.keys[self.owner.gun]
        keys = [server.of(role)] if role in (roles.SNAPSHOT, roles.TIMESTAMP) else self.owner.keys_of(role)
        return [(key.key_id, key) for key in keys]


_ROLES = (*roles.BASE_ROLES, roles.RELEASES, "targets/alice", "targets/alice/tools")


@functools.cache
def _insider() -> _Insider:
    return _Insider()


def read_signed(role: str, data: bytes) -> None:
    """Read a damaged file that its own key holders signed: it may say anything, and must not do any harm."""
    insider = _insider()
    signed = Envelope.parse(data).signed
    client.resident.clear()
    insider.publish(role, signed)
    trusted = refresh(Gun(insider.owner.gun), insider.simulator, MemoryCache(), now=Clock())
    described = describe(trusted, "x")
    if images_json([image_json(trusted, "x")]) != to_json([described]):
        raise WrongAccept("the two ways of writing a repository do not say the same")
    shown = to_json([described]) + pretty(described)
    if not all(character.isprintable() or character in "\n\t" for character in shown):
        raise WrongAccept("text from outside would reach a terminal raw")


class _Shelf:
    """A server that tells its files, under their true names."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        data = self._files.get(_role_of(name))
        if data is not None and limit is not None and len(data) > limit:
            raise TooLarge("too long")
        return data

    def get_key(self, gun: str, role: str) -> PublicKey:
        raise NotImplementedError

    def rotate_key(self, gun: str, role: str) -> PublicKey:
        raise NotImplementedError

    def post(self, gun: str, files: Any) -> None:
        raise NotImplementedError

    def delete(self, gun: str) -> None:
        raise NotImplementedError


def _role_of(name: str) -> str:
    return next((part for part in name.removesuffix(".json").split(".") if part in ROLE_FILES), "")


@dataclass(frozen=True, slots=True)
class _Truth:
    root: Root
    targets: Targets
    released: Any

    def role(self, name: str) -> roles.Role:
        found = self.targets.role(name) if roles.is_delegation(name) else self.root.role(name)
        assert found is not None
        return found


@functools.cache
def _truth() -> _Truth:
    files = {name: metadata(name) for name in ROLE_FILES}
    trusted = refresh(Gun(GUN), _Shelf(files), MemoryCache(), now=Clock())
    assert FileMeta.of(files[roles.TARGETS]) == trusted.snapshot.meta[roles.TARGETS]
    return _Truth(trusted.root, trusted.targets, trusted.released())


def read_change(data: bytes) -> None:
    """Read a staged change; what it holds is read when it is applied."""
    change = Change.parse(data)
    if change.kind == "target" and change.action != "delete":
        change.target  # noqa: B018
    elif change.kind == "delegation":
        change.keys, change.threshold, change.clears_paths  # noqa: B018
        for member in ("remove_keys", "add_paths", "remove_paths"):
            change.texts(member)
    if Change.parse(change.to_file()) != change:
        raise WrongAccept("a staged change reads differently once it was written")


def read_public_key(data: bytes) -> None:
    """Read a signer's public key: what is accepted can be used, and has one id."""
    key = PublicKey.from_pem(data)
    if PublicKey.from_pem(key.to_pem()) != key.bare:
        raise WrongAccept("a public key reads differently once it was written")
    PublicKey.from_json(key.to_json())


def read_private_key(data: bytes) -> None:
    """Read a private key file; one that opens holds a whole key."""
    file = pem.KeyFile.parse(data.decode("utf-8", "replace"))
    key = file.open(passphrase_of(file.role or ""))
    if not key.public.verifies(*key.sign(b"payload"), b"payload"):
        raise WrongAccept("a private key opens and does not sign")


def is_refusal(error: Exception) -> bool:
    """Tell whether an error is the one kind that reading may end with."""
    return isinstance(error, TrustError)
