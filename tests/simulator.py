"""An in-memory trust server that implements `Transport`, and the people who publish to it.

Tests change metadata here and refresh a real client. `Simulator.post` accepts what a real server accepts;
`Simulator.put` stores anything, so that a test can say what a broken or captured server would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from signing.trust.errors import TooLarge, TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.acceptance import FilesInMemory, accept, renew
from signing.trust.notary.server_made import AcceptedFile
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import (
    Delegation,
    Envelope,
    FileMeta,
    RoleKeys,
    Root,
    Snapshot,
    Target,
    Targets,
    Timestamp,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GUN = "registry.example/team/app"
ROOT_LIFETIME, TARGETS_LIFETIME = timedelta(days=3650), timedelta(days=1095)
SNAPSHOT_LIFETIME, TIMESTAMP_LIFETIME = timedelta(days=1095), timedelta(days=14)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: int) -> None:
        self.now += timedelta(**time)


@dataclass
class ServerKeys:
    """The two keys a server holds; tests may exchange them."""

    snapshot: PrivateKey = field(default_factory=PrivateKey.generate)
    timestamp: PrivateKey = field(default_factory=PrivateKey.generate)

    pending: dict[str, PrivateKey] = field(default_factory=dict)

    def of(self, role: str) -> PrivateKey:
        return self.snapshot if role == roles.SNAPSHOT else self.timestamp

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        if role in self.pending and self.pending[role].key_id in keyids:  # a root names it now
            setattr(self, role, self.pending.pop(role))
        key = self.of(role)
        return [key] if key.key_id in keyids else []


class Simulator:
    """A trust server for any number of GUNs.

    `asked` lists what clients asked for. `fault` is raised instead of every answer. A lie replaces the true bytes under
    one exact name, None says "not found".
    """

    def __init__(self, now: Callable[[], datetime] = Clock()) -> None:  # noqa: B008  its default never moves
        self._now = now
        self.keys: dict[str, ServerKeys] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.current: dict[str, dict[str, AcceptedFile]] = {}
        self.asked: list[str] = []
        self.posted: list[dict[str, bytes]] = []
        self.fault: TrustError | None = None
        self.lies: dict[str, bytes | None] = {}

    # Transport

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        self._ask(name)
        if name in ("timestamp.json", "snapshot.json") and name not in self.lies:
            self._renew(gun)
        data = self.lies[name] if name in self.lies else self.files.get(gun, {}).get(name)
        if data is not None and limit is not None and len(data) > limit:
            raise TooLarge(f"{name} has {len(data)} bytes where {limit} are the most.")
        return data

    def get_key(self, gun: str, role: str) -> PublicKey:
        self._ask(f"{role}.key")
        return self._keys(gun).of(role).public

    def rotate_key(self, gun: str, role: str) -> PublicKey:
        self._ask(f"POST {role}.key")
        return self._keys(gun).pending.setdefault(role, PrivateKey.generate()).public

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        self._ask("POST")
        self.posted.append(dict(files))
        for file in accept(gun, files, FilesInMemory(self._current(gun)), self._keys(gun), self._now()):
            self._store(gun, file)

    def delete(self, gun: str) -> None:
        self._ask("DELETE")
        self.files.pop(gun, None)
        self.current.pop(gun, None)

    # What only tests do

    def put(self, gun: str, role: str, envelope: Envelope) -> None:
        """Store a file under its plain name, by hash and by version, whatever it says."""
        self._store(gun, AcceptedFile(role, int(envelope.signed.get("version", 0)), envelope.raw))

    def put_snapshot(self, gun: str, change: Callable[[Snapshot], Snapshot] = lambda made: made) -> None:
        """Sign a snapshot of what is stored, changed by the test, and the timestamp of it."""
        files = self._current(gun)
        known = {role: FileMeta.of(file.data) for role, file in files.items() if role not in _SERVER_MADE}
        version = files[roles.SNAPSHOT].version + 1 if roles.SNAPSHOT in files else 1
        made = change(Snapshot(version=version, expires=self._now() + SNAPSHOT_LIFETIME, meta=known))
        self.put(gun, roles.SNAPSHOT, signed_by(made, self._keys(gun).snapshot))
        self.put_timestamp(gun)

    def put_timestamp(self, gun: str, change: Callable[[Timestamp], Timestamp] = lambda made: made) -> None:
        """Sign a timestamp of the stored snapshot, changed by the test."""
        files = self._current(gun)
        version = files[roles.TIMESTAMP].version + 1 if roles.TIMESTAMP in files else 1
        meta = {roles.SNAPSHOT: FileMeta.of(files[roles.SNAPSHOT].data)}
        made = change(Timestamp(version=version, expires=self._now() + TIMESTAMP_LIFETIME, meta=meta))
        self.put(gun, roles.TIMESTAMP, signed_by(made, self._keys(gun).timestamp))

    def said(self, gun: str, role: str) -> bytes:
        """Give what the server tells of a role now."""
        return self.files[gun][f"{role}.json"]

    def state(self) -> tuple[dict[str, dict[str, bytes]], dict[str, dict[str, AcceptedFile]]]:
        """Remember everything stored, to go back to it with `restore`."""
        return {gun: dict(files) for gun, files in self.files.items()}, {
            gun: dict(files) for gun, files in self.current.items()
        }

    def restore(self, state: tuple[dict[str, dict[str, bytes]], dict[str, dict[str, AcceptedFile]]]) -> None:
        self.files, self.current = state

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.fault is not None:
            raise self.fault

    def _renew(self, gun: str) -> None:
        for file in renew(FilesInMemory(self._current(gun)), self._keys(gun), self._now()):
            self._store(gun, file)

    def _store(self, gun: str, file: AcceptedFile) -> None:
        self._current(gun)[file.role] = file
        names = self.files.setdefault(gun, {})
        sha256 = hashlib.sha256(file.data).hexdigest()
        for name in (f"{file.role}.json", f"{file.role}.{sha256}.json", f"{file.version}.{file.role}.json"):
            names[name] = file.data

    def _current(self, gun: str) -> dict[str, AcceptedFile]:
        return self.current.setdefault(gun, {})

    def _keys(self, gun: str) -> ServerKeys:
        return self.keys.setdefault(gun, ServerKeys())


@dataclass
class Owner:
    """Who initialised a repository: holds all its keys and publishes what a test changes."""

    simulator: Simulator
    now: Callable[[], datetime]
    gun: str = GUN
    root_key: PrivateKey = field(default_factory=PrivateKey.generate)
    targets_key: PrivateKey = field(default_factory=PrivateKey.generate)
    signer_keys: dict[str, PrivateKey] = field(default_factory=dict)
    certificate: PublicKey = field(init=False)
    root: Root = field(init=False)
    files: dict[str, Targets] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.certificate = root_certificate(self.root_key, self.gun, self.now())
        held = self.simulator._keys(self.gun)
        named = {
            roles.ROOT: self.certificate,
            roles.TARGETS: self.targets_key.public,
            roles.SNAPSHOT: held.snapshot.public,
            roles.TIMESTAMP: held.timestamp.public,
        }
        self.root = Root(
            version=1,
            expires=self.now() + ROOT_LIFETIME,
            keys={key.key_id: key for key in named.values()},
            roles={role: RoleKeys((key.key_id,), 1) for role, key in named.items()},
        )
        self.files[roles.TARGETS] = Targets(version=0, expires=self.now() + TARGETS_LIFETIME)

    def initialise(self) -> Owner:
        """Publish root 1 and the first targets."""
        self.publish({roles.ROOT: self.signed_root(), roles.TARGETS: self.next_file(roles.TARGETS)})
        return self

    def add_signer(self, name: str, *, paths: tuple[str, ...] = ("",), threshold: int = 1) -> PrivateKey:
        """Delegate to `targets/NAME` (with slashes: below its parent) and, for a direct one, to releases."""
        key = self.signer_keys.setdefault(name, PrivateKey.generate())
        role = f"targets/{name}"
        parent = roles.parent_of(role)
        self.delegate(parent, role, [key], paths=paths, threshold=threshold)
        if parent == roles.TARGETS and role != roles.RELEASES:
            self.delegate(parent, roles.RELEASES, [key])
        self.publish({parent: self.next_file(parent)})
        return key

    def delegate(
        self, parent: str, role: str, keys: Sequence[PrivateKey], *, paths: tuple[str, ...] = ("",), threshold: int = 1
    ) -> None:
        """Change a delegation in the parent's next file."""
        file = self.file(parent)
        known = file.delegation(role) or Delegation(role, (), threshold, paths)
        keyids = tuple(dict.fromkeys([*known.keyids, *(key.key_id for key in keys)]))
        others = tuple(item for item in file.delegations if item.name != role)
        self.files[parent] = replace(
            file,
            keys={**file.keys, **{key.key_id: key.public for key in keys}},
            delegations=(*others, replace(known, keyids=keyids)),
        )

    def sign(self, tag: str, digest: str, *by: str, length: int = 500) -> None:
        """Put a tag into releases and the roles of these signers; without any, into `targets`."""
        names = [roles.RELEASES, *(f"targets/{name}" for name in by)] if by else [roles.TARGETS]
        for name in names:
            self.add_target(name, tag, digest, length=length)
        self.publish({name: self.next_file(name) for name in names})

    def add_target(self, role: str, tag: str, digest: str, *, length: int = 500) -> None:
        """Change a tag in a role's next file."""
        file = self.file(role)
        self.files[role] = replace(file, targets={**file.targets, tag: Target.from_digest(tag, digest, length)})

    def file(self, role: str) -> Targets:
        return self.files.get(role) or Targets(version=0, expires=self.now() + TARGETS_LIFETIME)

    def next_file(self, role: str, **changes: Any) -> Envelope:
        """Sign the next version of a targets file with every key held for it."""
        file = self.file(role)
        fields: dict[str, Any] = {"version": file.version + 1, "expires": self.now() + TARGETS_LIFETIME, **changes}
        made = replace(file, **fields)
        self.files[role] = made
        return signed_by(made, *self.keys_of(role))

    def keys_of(self, role: str) -> list[PrivateKey]:
        if role == roles.TARGETS:
            return [self.targets_key]
        listed = self.file(roles.parent_of(role)).delegation(role)
        keyids = listed.keyids if listed else ()
        return [key for key in self.signer_keys.values() if key.key_id in keyids]

    def signed_root(self, *also: tuple[str, PrivateKey]) -> Envelope:
        """Sign the root with the root key, and with others by the id their certificate has."""
        return signed_as(self.root, (self.certificate.key_id, self.root_key), *also)

    def rotate_root(self, **changes: Any) -> Envelope:
        """Make a new root key; the next root is signed by the old and the new one."""
        old = (self.certificate.key_id, self.root_key)
        self.root_key = PrivateKey.generate()
        self.certificate = root_certificate(self.root_key, self.gun, self.now())
        return self.next_root(self.certificate, old, **changes)

    def rotate(self, role: str) -> Envelope:
        """Make a new key for targets, snapshot or timestamp and the root that names it."""
        key = PrivateKey.generate()
        if role == roles.TARGETS:
            self.targets_key = key
        else:
            setattr(self.simulator._keys(self.gun), role, key)
        return self.next_root(key.public, role=role)

    def next_root(
        self, key: PublicKey, *also: tuple[str, PrivateKey], role: str = roles.ROOT, **changes: Any
    ) -> Envelope:
        named = {**self.root.roles, role: RoleKeys((key.key_id,), 1)}
        made = replace(self.root, version=self.root.version + 1, keys={**self.root.keys, key.key_id: key}, roles=named)
        self.root = replace(made, **changes)
        return self.signed_root(*also)

    def publish(self, files: Mapping[str, Envelope]) -> None:
        """Send files as a client would; the server makes snapshot and timestamp."""
        self.simulator.post(self.gun, {role: envelope.raw for role, envelope in files.items()})

    def put(self, files: Mapping[str, Envelope]) -> None:
        """Store files without the server's checks, with a snapshot and a timestamp that fit."""
        for role, envelope in files.items():
            self.simulator.put(self.gun, role, envelope)
        self.simulator.put_snapshot(self.gun)


def signed_by(made: Root | Targets | Snapshot | Timestamp, *keys: PrivateKey) -> Envelope:
    """Sign metadata with bare keys."""
    return signed_as(made, *((key.key_id, key) for key in keys))


def signed_as(made: Root | Targets | Snapshot | Timestamp, *keys: tuple[str, PrivateKey]) -> Envelope:
    """Sign metadata with keys under given ids."""
    payload = Envelope.build(made.to_signed(), ()).payload
    return Envelope.build(made.to_signed(), tuple(key.signature(keyid, payload) for keyid, key in keys))


_SERVER_MADE = (roles.SNAPSHOT, roles.TIMESTAMP)
