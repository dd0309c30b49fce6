"""The four kinds of metadata: their shape, read strictly and written as Go writes them (reference 2.3 to 2.6).

Reading checks the shape alone. Who signed is `roles.Role.require_threshold`, what may replace what is
`signing.trust.notary.client`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Self, cast

from signing.trust.errors import HashMismatch, LengthMismatch, MalformedMetadata
from signing.trust.tuf import canonical, roles, shape
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.roles import Role
from signing.trust.tuf.tag_list import TagList, read_tags
from signing.trust.tuf.times import format_time, parse_time

MOST_SIGNATURES = 256


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a file: by which key, made how."""

    keyid: str
    method: str
    sig: bytes

    def to_json(self) -> dict[str, str]:
        """Give it with its members in the order Go writes them."""
        return {"keyid": self.keyid, "method": self.method, "sig": base64.b64encode(self.sig).decode()}

    @classmethod
    def from_json(cls, value: Any) -> Signature:
        """Read one signature; the method's name is lower-cased as Go does."""
        members = shape.members(value, "a signature", ("keyid", "method", "sig"))
        keyid, method = shape.text(members["keyid"], "keyid"), shape.text(members["method"], "method")
        return cls(keyid, method.lower(), shape.binary(members["sig"], "sig"))


@dataclass(frozen=True)
class Envelope:
    """A signed file: its `signed` part as plain JSON, the signatures, and the exact bytes it came in."""

    signed: dict[str, Any]
    signatures: tuple[Signature, ...]
    raw: bytes

    @cached_property
    def payload(self) -> bytes:
        """The canonical JSON that the signatures cover."""
        return canonical.encode(self.signed)

    @classmethod
    def parse(cls, data: bytes) -> Envelope:
        """Read a file from outside.

        Raises:
            MalformedMetadata: it is not a signed file.
        """
        if data.startswith(TARGETS_BEGIN):
            in_plain_form = ListedEnvelope.read(data)
            if in_plain_form is not None:
                return in_plain_form
        members = shape.members(canonical.parse(data), "the file", ("signed", "signatures"))
        signatures = _few(members["signatures"])
        signed = shape.mapping(members["signed"], "the `signed` part of the file")
        return cls(signed, tuple(Signature.from_json(item) for item in signatures), data)

    @classmethod
    def build(cls, signed: dict[str, Any], signatures: tuple[Signature, ...]) -> Envelope:
        """Make the file that Go would write: one line, no end of line, signatures as given."""
        return cls(signed, signatures, _SIGNED_BEGIN + canonical.to_file(signed) + _end_of_file(signatures))

    def with_signatures(self, signatures: tuple[Signature, ...]) -> Self:
        """Give a file that was built without signatures with these; its content is not written anew."""
        raw = self.raw.removesuffix(_end_of_file(())) + _end_of_file(signatures)
        signed_file = replace(self, signatures=signatures, raw=raw)
        signed_file.__dict__["payload"] = self.payload
        return signed_file


class ListedEnvelope(Envelope):
    """A file of signed tags in the form Notary's clients write: its long list is read apart from the rest.

    `outline` is the signed part with an empty list in place of `tags`.
    """

    outline: dict[str, Any]
    tags: TagList

    def __init__(
        self, raw: bytes, payload: bytes, outline: dict[str, Any], tags: TagList, signatures: tuple[Signature, ...]
    ) -> None:
        self.__dict__.update(raw=raw, payload=payload, outline=outline, tags=tags, signatures=signatures)

    @cached_property
    def signed(self) -> dict[str, Any]:
        """What was signed, as JSON values; read when somebody asks, which is seldom."""
        return cast(dict[str, Any], canonical.parse(self.payload))

    @classmethod
    def read(cls, data: bytes) -> ListedEnvelope | None:
        """Read a file if the bytes it was sent as are the ones that were signed; None for any other.

        The list is cut out where the first one begins and the last one may end. What is left has to be canonical JSON
        whose own `targets` is empty, and the only empty one: so what was cut out was that list, and nothing else.
        """
        end = data.rfind(_SIGNATURES_BEGIN)
        start = data.find(_LIST_BEGIN, 0, end) + len(_LIST_BEGIN)
        stop = data.rfind(_LIST_END, start, end)
        if not len(_LIST_BEGIN) <= start < stop:
            return None
        kept = data[len(_SIGNED_BEGIN) : start] + data[stop:end]
        if kept.count(_EMPTY_LIST) != 1:
            return None
        try:
            outline, rest = canonical.parse(kept), canonical.parse(b"{" + data[end + 1 :])
        except MalformedMetadata:
            return None  # as a whole it may be right
        if outline.get("targets") != {} or canonical.encode(outline) != kept or rest.keys() != {"signatures"}:
            return None
        tags = read_tags(data, start, stop)
        if tags is None:
            return None
        signatures = tuple(Signature.from_json(item) for item in _few(rest["signatures"]))
        return cls(data, data[len(_SIGNED_BEGIN) : end], outline, tags, signatures)

    @classmethod
    def build_listed(cls, outline: dict[str, Any], tags: TagList) -> ListedEnvelope | None:
        """Make the file without signatures that `read` reads so; None where `build` has to write it."""
        kept, members = canonical.encode(outline), tags.members()
        if not members or kept.count(_EMPTY_LIST) != 1 or canonical.to_file(outline) != kept:
            return None
        payload = kept.replace(_EMPTY_LIST, _EMPTY_LIST[:-1] + members + _EMPTY_LIST[-1:])
        return cls(_SIGNED_BEGIN + payload + _end_of_file(()), payload, outline, tags, ())

    def with_signatures(self, signatures: tuple[Signature, ...]) -> Self:
        """Give a file that was built without signatures with these; its content is not written anew."""
        raw = self.raw.removesuffix(_end_of_file(())) + _end_of_file(signatures)
        return type(self)(raw, self.payload, self.outline, self.tags, signatures)


_SIGNED_BEGIN = b'{"signed":'
TARGETS_BEGIN = _SIGNED_BEGIN + b'{"_type":"Targets",'
_SIGNATURES_BEGIN = b',"signatures":['
_LIST_BEGIN, _LIST_END, _EMPTY_LIST = b',"targets":{', b'},"version":', b'"targets":{}'


@dataclass(frozen=True, slots=True)
class FileMeta:
    """How long a file is and what it hashes to, as its parent file promises."""

    length: int
    hashes: Mapping[str, bytes]

    @classmethod
    def of(cls, data: bytes) -> FileMeta:
        """Describe `data` as Notary does: SHA-256 and SHA-512."""
        hashes = {"sha256": hashlib.sha256(data).digest(), "sha512": hashlib.sha512(data).digest()}
        return cls(len(data), hashes)

    @property
    def sha256(self) -> str:
        """The SHA-256 in lower-case hex, as paths and people use it."""
        return self.hashes["sha256"].hex()

    def check(self, role: str, data: bytes) -> None:
        """Raise unless `data` is the promised file of `role`.

        Raises:
            LengthMismatch: shorter or longer.
            HashMismatch: other bytes.
        """
        if len(data) != self.length:
            raise LengthMismatch(f"{role} has {len(data)} bytes where {self.length} were promised.", role=role)
        for algorithm in ("sha256", "sha512"):
            expected = self.hashes.get(algorithm)
            if expected is not None and not hmac.compare_digest(hashlib.new(algorithm, data).digest(), expected):
                raise HashMismatch(f"The {algorithm} of {role} is not the one promised: {expected.hex()}.", role=role)

    def to_json(self) -> dict[str, Any]:
        """Give it as snapshot and timestamp hold it."""
        return {"hashes": _hashes_to_json(self.hashes), "length": self.length}

    @classmethod
    def from_json(cls, value: Any, what: str) -> FileMeta:
        """Read it; SHA-256 is mandatory.

        Raises:
            MalformedMetadata: not that shape.
        """
        members = shape.members(value, what, ("hashes", "length"))
        return cls(
            shape.integer(members["length"], f"the length of {what}", 0), _hashes_from_json(members["hashes"], what)
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One signed name; for images the tag, the manifest's length in bytes and its digest."""

    name: str
    length: int
    hashes: Mapping[str, bytes]
    custom: Any = None

    @classmethod
    def from_digest(cls, name: str, digest: str, length: int) -> Target:
        """Make the target of a tag: `digest` is 64 hex digits, with or without `sha256:`.

        Raises:
            MalformedMetadata: it is not a SHA-256 digest.
        """
        try:
            raw = bytes.fromhex(digest.removeprefix("sha256:"))
        except ValueError:
            raw = b""
        if len(raw) != 32:
            raise MalformedMetadata(f"This is not a SHA-256 digest: {digest[:80]!r}.")
        return cls(name, length, {"sha256": raw})

    @property
    def digest(self) -> str:
        """The SHA-256 in lower-case hex without prefix."""
        return self.hashes["sha256"].hex()

    def to_json(self) -> dict[str, Any]:
        """Give its entry in a targets file."""
        entry: dict[str, Any] = {"hashes": _hashes_to_json(self.hashes), "length": self.length}
        return entry if self.custom is None else {**entry, "custom": self.custom}

    @classmethod
    def from_json(cls, name: str, value: Any) -> Target:
        """Read one entry of a targets file."""
        what = f"the target {name[:80]!r}"
        members = shape.members(value, what, ("hashes", "length"), ("custom",))
        hashes = _hashes_from_json(members["hashes"], what)
        return cls(name, shape.integer(members["length"], f"the length of {what}", 0), hashes, members.get("custom"))


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a targets file says of one role below it. Paths are prefixes; none means the role can hold nothing."""

    name: str
    keyids: tuple[str, ...]
    threshold: int
    paths: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Give it as Go writes it: `paths` is left out when empty."""
        entry: dict[str, Any] = {"keyids": list(self.keyids), "name": self.name, "threshold": self.threshold}
        return {**entry, "paths": list(self.paths)} if self.paths else entry

    @classmethod
    def from_json(cls, value: Any) -> Delegation:
        """Read one delegation; Go writes `null` for an empty list of key ids.

        Raises:
            MalformedMetadata: it is none.
        """
        members = shape.members(value, "a delegation", ("keyids", "name", "threshold"), ("paths",))
        name = shape.text(members["name"], "the name of a delegation")
        if not roles.is_delegation(name):
            raise MalformedMetadata(f"{name[:80]!r} is not the name of a delegation.")
        keyids = tuple(shape.text(item, "keyids") for item in shape.list_or_null(members["keyids"], "keyids"))
        paths = tuple(shape.text(item, "paths") for item in shape.list_or_null(members.get("paths"), "paths"))
        return cls(name, keyids, shape.integer(members["threshold"], f"the threshold of {name}", 1), paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What all four kinds have in common."""

    TYPE: ClassVar[str]
    version: int
    expires: datetime

    def to_signed(self) -> dict[str, Any]:
        """Give the `signed` part as plain JSON."""
        raise NotImplementedError

    def unsigned(self) -> Envelope:
        """Give the file as it is before anybody signs it."""
        return Envelope.build(self.to_signed(), ())

    def _common(self) -> dict[str, Any]:
        return {"_type": self.TYPE, "expires": format_time(self.expires), "version": self.version}

    @classmethod
    def _read(cls, signed: dict[str, Any], *own: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
        members = shape.members(signed, f"a {cls.TYPE} file", ("_type", "expires", "version", *own), optional)
        if members["_type"] != cls.TYPE:
            raise MalformedMetadata(f"A {cls.TYPE} file is needed, this is {str(members['_type'])[:40]!r}.")
        return members

    @classmethod
    def _version_and_expiry(cls, members: dict[str, Any]) -> dict[str, Any]:
        version = shape.integer(members["version"], f"the version of a {cls.TYPE} file", 1)
        return {"version": version, "expires": parse_time(shape.text(members["expires"], "expires"))}

    @classmethod
    def from_envelope(cls, envelope: Envelope) -> Self:
        """Read what a file says.

        Raises:
            MalformedMetadata: it is not of that kind.
        """
        return cls.from_signed(envelope.signed)

    @classmethod
    def from_signed(cls, signed: dict[str, Any]) -> Self:
        """Read it from plain JSON.

        Raises:
            MalformedMetadata: it is not of that kind.
        """
        raise NotImplementedError

    def is_expired(self, now: datetime) -> bool:
        """Tell whether its time is over; there is no tolerance, as in Notary."""
        return self.expires < now


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """The key ids of one base role and how many of them must sign."""

    keyids: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Root(_Signed):
    """The root of trust: the keys of the four base roles."""

    TYPE = "Root"
    keys: Mapping[str, PublicKey]
    roles: Mapping[str, RoleKeys]
    consistent_snapshot: bool = False

    def role(self, name: str) -> Role:
        """Give one base role with its keys; bare keys never count for root, which needs certificates."""
        listed = self.roles[name]
        keys = {keyid: self.keys[keyid] for keyid in listed.keyids}
        if name == roles.ROOT:
            keys = {keyid: key for keyid, key in keys.items() if key.is_certified}
        return Role(name, keys, listed.threshold)

    def to_signed(self) -> dict[str, Any]:
        """Give the `signed` part as plain JSON."""
        listed = {name: {"keyids": list(role.keyids), "threshold": role.threshold} for name, role in self.roles.items()}
        keys = {keyid: key.to_json() for keyid, key in self.keys.items()}
        return {
            **self._common(),
            "consistent_snapshot": self.consistent_snapshot,
            "keys": keys,
            "roles": listed,
        }

    @classmethod
    def from_signed(cls, signed: dict[str, Any]) -> Self:
        """Read it from plain JSON.

        Raises:
            MalformedMetadata: a base role or a key of one is missing, or the shape is wrong.
        """
        members = cls._read(signed, "keys", "roles", optional=("consistent_snapshot",))
        keys = _keys_from_json(members["keys"])
        listed = shape.members(members["roles"], "the roles of root", roles.BASE_ROLES)
        role_keys = {name: _role_keys(name, listed[name], keys) for name in roles.BASE_ROLES}
        consistent = members.get("consistent_snapshot", False)
        if not isinstance(consistent, bool):
            raise MalformedMetadata("`consistent_snapshot` has to be true or false.")
        return cls(**cls._version_and_expiry(members), keys=keys, roles=role_keys, consistent_snapshot=consistent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets(_Signed):
    """Signed tags, and the roles below; delegations are files of this kind too."""

    TYPE = "Targets"
    targets: Mapping[str, Target] = field(default_factory=dict)
    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    delegations: tuple[Delegation, ...] = ()

    def delegation(self, name: str) -> Delegation | None:
        """Find what this file says of the role `name`."""
        return next((item for item in self.delegations if item.name == name), None)

    def with_target(self, target: Target) -> Self:
        """Give the file with a target put in, in place of one of that name; its version stays."""
        added = self.targets.with_target(target) if isinstance(self.targets, TagList) else None
        return replace(self, targets={**self.targets, target.name: target} if added is None else added)

    def without_target(self, name: str) -> Self:
        """Give the file without a target it has; its version stays."""
        kept = self.targets.without_target(name) if isinstance(self.targets, TagList) else None
        rest = {known: target for known, target in self.targets.items() if known != name} if kept is None else kept
        return replace(self, targets=rest)

    def role(self, name: str) -> Role | None:
        """Give a role below this file with its keys."""
        listed = self.delegation(name)
        if listed is None:
            return None
        return Role(name, {keyid: self.keys[keyid] for keyid in listed.keyids}, listed.threshold)

    @classmethod
    def from_envelope(cls, envelope: Envelope) -> Self:
        """Read what a file says, its list of targets as it was read already.

        Raises:
            MalformedMetadata: it is not of that kind.
        """
        if isinstance(envelope, ListedEnvelope):
            return replace(cls.from_signed(envelope.outline), targets=envelope.tags)
        return cls.from_signed(envelope.signed)

    def unsigned(self) -> Envelope:
        """Give the file as it is before anybody signs it, a list that was read in the form it came in."""
        listed = None
        if isinstance(self.targets, TagList):
            listed = ListedEnvelope.build_listed(replace(self, targets={}).to_signed(), self.targets)
        return listed or Envelope.build(self.to_signed(), ())

    def to_signed(self) -> dict[str, Any]:
        """Give the `signed` part as plain JSON."""
        keys = {keyid: key.to_json() for keyid, key in self.keys.items()}
        delegations = {"keys": keys, "roles": [item.to_json() for item in self.delegations]}
        if isinstance(self.targets, TagList):
            targets = self.targets.to_json()
        else:
            targets = {name: target.to_json() for name, target in self.targets.items()}
        return {**self._common(), "delegations": delegations, "targets": targets}

    @classmethod
    def from_signed(cls, signed: dict[str, Any]) -> Self:
        """Read it from plain JSON; a missing or `null` list of delegations counts as empty.

        Raises:
            MalformedMetadata: a role is listed twice, a key of one is missing, or the shape is wrong.
        """
        members = cls._read(signed, "targets", optional=("delegations",))
        nested = shape.mapping_or_null(members.get("delegations"), "the delegations")
        nested = shape.members(nested, "the delegations", (), ("keys", "roles"))
        keys = _keys_from_json(nested.get("keys"))
        listed = tuple(
            Delegation.from_json(item) for item in shape.list_or_null(nested.get("roles"), "the delegated roles")
        )
        if len({item.name for item in listed}) != len(listed):
            raise MalformedMetadata("A delegation is listed twice.")
        for item in listed:
            _require_keys(item.name, item.keyids, keys)
        targets = shape.mapping_or_null(members["targets"], "the list of targets")
        entries = {name: Target.from_json(name, value) for name, value in targets.items()}
        return cls(**cls._version_and_expiry(members), targets=entries, keys=keys, delegations=listed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(_Signed):
    """Which versions of all files belong together, by length and hash."""

    TYPE = "Snapshot"
    meta: Mapping[str, FileMeta]

    def to_signed(self) -> dict[str, Any]:
        """Give the `signed` part as plain JSON."""
        return {**self._common(), "meta": {name: item.to_json() for name, item in self.meta.items()}}

    @classmethod
    def from_signed(cls, signed: dict[str, Any]) -> Self:
        """Read it from plain JSON; root and targets have to be there.

        Raises:
            MalformedMetadata: otherwise.
        """
        members = cls._read(signed, "meta")
        return cls(
            **cls._version_and_expiry(members),
            meta=_meta_from_json(members["meta"], roles.ROOT, roles.TARGETS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp(_Signed):
    """The newest snapshot, signed often so that old data cannot be shown for long."""

    TYPE = "Timestamp"
    meta: Mapping[str, FileMeta]

    @property
    def snapshot(self) -> FileMeta:
        """What the newest snapshot has to be."""
        return self.meta[roles.SNAPSHOT]

    def to_signed(self) -> dict[str, Any]:
        """Give the `signed` part as plain JSON."""
        return {**self._common(), "meta": {name: item.to_json() for name, item in self.meta.items()}}

    @classmethod
    def from_signed(cls, signed: dict[str, Any]) -> Self:
        """Read it from plain JSON; the snapshot has to be there.

        Raises:
            MalformedMetadata: otherwise.
        """
        members = cls._read(signed, "meta")
        return cls(**cls._version_and_expiry(members), meta=_meta_from_json(members["meta"], roles.SNAPSHOT))


def _few(listed: Any) -> list[Any]:
    """Return a list of signatures that does not take a reader a minute to check."""
    signatures = shape.list_or_null(listed, "signatures")
    if len(signatures) > MOST_SIGNATURES:
        raise MalformedMetadata(f"A file has more than {MOST_SIGNATURES} signatures.")
    return signatures


def _end_of_file(signatures: tuple[Signature, ...]) -> bytes:
    listed = b",".join(_in_given_order(signature.to_json()) for signature in signatures)
    return _SIGNATURES_BEGIN + listed + b"]}"


def _in_given_order(value: dict[str, str]) -> bytes:
    return b"{" + b",".join(canonical.to_file(k) + b":" + canonical.to_file(v) for k, v in value.items()) + b"}"


def _hashes_to_json(hashes: Mapping[str, bytes]) -> dict[str, str]:
    return {algorithm: base64.b64encode(value).decode() for algorithm, value in hashes.items()}


def _hashes_from_json(value: Any, what: str) -> dict[str, bytes]:
    listed = shape.members(value, f"the hashes of {what}", (), ("sha256", "sha512"))
    hashes = {algorithm: shape.binary(item, f"a hash of {what}") for algorithm, item in listed.items()}
    for algorithm, size in (("sha256", 32), ("sha512", 64)):
        if algorithm in hashes and len(hashes[algorithm]) != size:
            raise MalformedMetadata(f"The {algorithm} of {what} has the wrong length.")
    if "sha256" not in hashes:
        raise MalformedMetadata(f"There is no SHA-256 for {what}.")
    return hashes


def _keys_from_json(value: Any) -> dict[str, PublicKey]:
    return {
        keyid: PublicKey.from_json(item) for keyid, item in shape.mapping_or_null(value, "the list of keys").items()
    }


def _role_keys(name: str, value: Any, keys: Mapping[str, PublicKey]) -> RoleKeys:
    members = shape.members(value, f"the role {name}", ("keyids", "threshold"))
    keyids = tuple(shape.text(item, "keyids") for item in shape.list_or_null(members["keyids"], "keyids"))
    _require_keys(name, keyids, keys)
    return RoleKeys(keyids, shape.integer(members["threshold"], f"the threshold of {name}", 1))


def _require_keys(role: str, keyids: tuple[str, ...], keys: Mapping[str, PublicKey]) -> None:
    if any(keyid not in keys for keyid in keyids):
        raise MalformedMetadata(f"A key of {role} is named but not given.")


def _meta_from_json(value: Any, *required: str) -> dict[str, FileMeta]:
    members = shape.members(value, "the list of files", required)
    return {name: FileMeta.from_json(item, name) for name, item in members.items()}
