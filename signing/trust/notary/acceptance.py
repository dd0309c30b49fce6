"""Decide what a trust server stores: which update it takes, and which files it signs itself.

Pure: what is stored now comes in, files to store or a named error come out. The bytes accepted are the bytes sent;
they are never written anew, so their hashes are right however a client formats its JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import orjson

from signing.trust.errors import (
    CannotSign,
    ExpiredMetadata,
    HashMismatch,
    LengthMismatch,
    MalformedMetadata,
    VersionConflict,
)
from signing.trust.notary.refusals import (
    BAD_HIERARCHY,
    BAD_ROOT,
    BAD_SNAPSHOT,
    BAD_TARGETS,
    BAD_UPDATE,
    expired,
    refused_as,
    rejected,
)
from signing.trust.notary.root_acceptance import accept_root
from signing.trust.notary.server_made import (
    SNAPSHOT_MARGIN,
    TIMESTAMP_MARGIN,
    AcceptedFile,
    ServerKeys,
    next_snapshot,
    next_timestamp,
)
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

MOST_SIGNATURES = 256
LARGEST_VERSION = 2**31 - 1

File = TypeVar("File", Snapshot, Targets)


class CurrentFiles(Protocol):
    """What is stored for one GUN now: the highest version of each role."""

    def data(self, role: str) -> bytes | None:
        """Give a role's file."""

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""


class FilesInMemory:
    """Current files that were accepted before, by role name."""

    def __init__(self, files: Mapping[str, AcceptedFile]) -> None:
        self._files = files

    def data(self, role: str) -> bytes | None:
        """Give a role's file."""
        return self._files[role].data if role in self._files else None

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""
        return self._files[role].version if role in self._files else 0


def accept(
    gun: str, update: Mapping[str, bytes], current: CurrentFiles, keys: ServerKeys, now: datetime
) -> list[AcceptedFile]:
    """Give the files to store, all or none, when a client publishes `update` (Notary v1: validation of an update).

    The last two are the new snapshot, unless the client sent its own, and the new timestamp. A timestamp in the
    update is read and ignored, and an empty update makes a new snapshot and timestamp. Target names are not checked
    against the paths of a delegation: clients do that when they read.

    Raises:
        InvalidName: a role of the update has a name the format forbids.
        MalformedMetadata: a file of the update is not a signed file.
        PublishRejected: a file does not hold; `detail` has the error's name and the reason in Notary's words.
        VersionConflict: a version that is stored already; read the newest state and try again.
    """
    sent = {roles.check_role_name(role): read_file(data) for role, data in update.items()}
    sent.pop(roles.TIMESTAMP, None)
    checked = _Update(gun, sent, current, now)
    snapshot = checked.sent_snapshot() or checked.made_snapshot(keys)
    timestamp = next_timestamp(checked.root, current.version(roles.TIMESTAMP), snapshot.data, keys, now)
    if timestamp is None:
        raise rejected(BAD_ROOT, "no timestamp keys exist on the server")
    accepted = [*checked.accepted(), snapshot, timestamp]
    require_newer((file for file in accepted if file.role in sent), current)
    return accepted


def require_newer(files: Iterable[AcceptedFile], current: CurrentFiles) -> None:
    """Raise unless each file is newer than what is stored.

    Raises:
        VersionConflict: somebody else published that version, or a higher one.
    """
    for file in files:
        if file.version <= current.version(file.role):
            raise VersionConflict("A newer version of metadata is already available.", role=file.role)


def renew(current: CurrentFiles, keys: ServerKeys, now: datetime) -> list[AcceptedFile]:
    """Give the next snapshot and timestamp where their time is over or near; an empty list if neither is.

    notary-server does this after expiry only, so that its readers can get a timestamp with seconds left. A snapshot
    that a client signs is left as it is.

    Raises:
        ExpiredMetadata: the root is expired, so nothing signed below it would count.
        CannotSign: the server does not hold the timestamp key that the root names.
    """
    root, snapshot_data, timestamp_data = (current.data(role) for role in (roles.ROOT, roles.SNAPSHOT, roles.TIMESTAMP))
    if root is None or snapshot_data is None or timestamp_data is None:
        return []
    trusted = Root.from_signed(Envelope.parse(root).signed)
    snapshot = Snapshot.from_signed(Envelope.parse(snapshot_data).signed)
    timestamp = Timestamp.from_signed(Envelope.parse(timestamp_data).signed)
    made = None
    if snapshot.is_expired(now + SNAPSHOT_MARGIN):
        made = next_snapshot(trusted, snapshot, {}, keys, now)
    if made is None and not timestamp.is_expired(now + TIMESTAMP_MARGIN):
        return []
    if trusted.is_expired(now):
        raise ExpiredMetadata(f"{expired(roles.ROOT, trusted.expires)}.", role=roles.ROOT)
    newest = made.data if made else snapshot_data
    renewed = next_timestamp(trusted, timestamp.version, newest, keys, now)
    if renewed is None:
        raise CannotSign("The server does not hold the timestamp key that the root names.", role=roles.TIMESTAMP)
    return [*([made] if made else []), renewed]


def read_file(data: bytes) -> Envelope:
    """Read one uploaded file.

    Raises:
        MalformedMetadata: not a signed file, with members nobody signed, or nested too deeply to check.
    """
    envelope = Envelope.parse(data)
    if len(orjson.loads(data)) != 2:
        raise MalformedMetadata("A file has members beside `signed` and `signatures`, which no signature covers.")
    if len(envelope.signatures) > MOST_SIGNATURES:
        raise MalformedMetadata(f"A file has more than {MOST_SIGNATURES} signatures.")
    try:
        envelope.payload  # noqa: B018  kept for the checks to come
    except RecursionError:
        raise MalformedMetadata("This is not valid JSON: it is nested too deeply.") from None
    return envelope


class _Update:
    """One update whose root and targets files hold; making it raises otherwise."""

    def __init__(self, gun: str, sent: Mapping[str, Envelope], current: CurrentFiles, now: datetime) -> None:
        self._sent = sent
        self._current = current
        self._now = now
        self._targets: dict[str, Targets] = {}
        self.root = self._checked_root(gun)
        for name in sorted(self._sent_targets(), key=lambda name: (name.count("/"), name)):
            self._load_targets(name)
        if roles.ROOT in sent:
            # notary-server stores a root that disowns the stored `targets`; then no client can read the repository.
            self._load_targets(roles.TARGETS)

    def accepted(self) -> list[AcceptedFile]:
        """Give the root and targets files of the update."""
        versions = {name: self._targets[name].version for name in self._sent_targets()}
        if roles.ROOT in self._sent:
            versions[roles.ROOT] = self.root.version
        return [AcceptedFile(name, version, self._sent[name].raw) for name, version in versions.items()]

    def sent_snapshot(self) -> AcceptedFile | None:
        """Give the client's own snapshot if it sent one and it holds; each file it names has to be here."""
        envelope = self._sent.get(roles.SNAPSHOT)
        if envelope is None:
            return None
        snapshot = self._checked(BAD_SNAPSHOT, self.root.role(roles.SNAPSHOT), envelope, Snapshot)
        for name in {*self._sent_targets(), roles.ROOT} - snapshot.meta.keys():
            raise rejected(BAD_SNAPSHOT, f"no checksums for supported algorithms were provided for {name}")
        for name, meta in snapshot.meta.items():
            try:
                meta.check(name, self._file_in_set(name))
            except (LengthMismatch, HashMismatch):
                reason = f"sha256 checksum for {name} did not match: expected {meta.sha256}"
                raise rejected(BAD_SNAPSHOT, reason) from None
        return AcceptedFile(roles.SNAPSHOT, snapshot.version, envelope.raw, snapshot.expires)

    def _file_in_set(self, name: str) -> bytes:
        is_listed = name in (roles.ROOT, roles.TARGETS) or roles.is_delegation(name)
        data = self._sent[name].raw if name in self._sent else self._current.data(name) if is_listed else None
        if data is None:
            raise rejected(BAD_SNAPSHOT, f"{name[:255]} is named but neither sent nor stored")
        return data

    def made_snapshot(self, keys: ServerKeys) -> AcceptedFile:
        """Give the snapshot the server signs where the client sent none."""
        stored = self._current.data(roles.SNAPSHOT)
        previous = Snapshot.from_signed(Envelope.parse(stored).signed) if stored is not None else None
        changed = {name: envelope.raw for name, envelope in self._sent.items()}
        made = next_snapshot(self.root, previous, changed, keys, self._now)
        if made is None:
            raise rejected(
                BAD_HIERARCHY,
                "no snapshot was included in update and server does not hold current snapshot key for repository",
                missing=roles.SNAPSHOT,
            )
        return made

    def _sent_targets(self) -> list[str]:
        return [name for name in self._sent if name not in (roles.ROOT, roles.SNAPSHOT)]

    def _checked_root(self, gun: str) -> Root:
        stored = self._current.data(roles.ROOT)
        previous = Root.from_signed(Envelope.parse(stored).signed) if stored is not None else None
        if roles.ROOT in self._sent:
            root = accept_root(gun, self._sent[roles.ROOT], previous, self._now)
            _require_storable(BAD_ROOT, roles.ROOT, root.version)
            return root
        if previous is None:
            raise rejected(BAD_UPDATE, "no pre-existing root and no root provided in update.")
        return previous

    def _load_targets(self, name: str) -> Targets:
        """Check `name` and everything above it; stored files may be expired, as in notary-server."""
        if name in self._targets:
            return self._targets[name]
        role = self._role(name)
        envelope = self._sent.get(name)
        if envelope is not None:
            file = self._checked(BAD_TARGETS, role, envelope, Targets)
            _require_sound_delegations(name, file)
        else:
            file = self._stored_targets(role)
        self._targets[name] = file
        return file

    def _role(self, name: str) -> Role:
        if name == roles.TARGETS:
            return self.root.role(name)
        role = self._load_targets(roles.parent_of(name)).role(name)
        if role is None:
            raise rejected(BAD_TARGETS, f"tuf: invalid role {name}. delegation does not exist")
        return role

    def _stored_targets(self, role: Role) -> Targets:
        data = self._current.data(role.name)
        if data is None:
            raise rejected(BAD_HIERARCHY, f"{role.name} is neither stored nor in the update", missing=role.name)
        envelope = Envelope.parse(data)
        with refused_as(BAD_TARGETS, role.name):
            role.require_threshold(envelope)
        return Targets.from_signed(envelope.signed)

    def _checked(self, name: str, role: Role, sent: Envelope, kind: type[File]) -> File:
        if not sent.signatures:
            raise rejected(name, "tuf: data has no signatures")
        with refused_as(name, role.name):
            role.require_threshold(sent)
            file = kind.from_signed(sent.signed)
        _require_storable(name, role.name, file.version)
        if file.is_expired(self._now):
            raise rejected(name, expired(role.name, file.expires))
        return file


def _require_sound_delegations(name: str, file: Targets) -> None:
    """Refuse delegations no client could use.

    A threshold above the number of keys is not among them: taking a lost key away from a role that needs two has to
    work, and only that role stops.
    """
    for delegation in file.delegations:
        if roles.parent_of(delegation.name) != name:
            raise rejected(BAD_TARGETS, f"{name} type metadata invalid: delegation role {delegation.name} invalid")
        if any(file.keys[keyid].key_id != keyid for keyid in delegation.keyids):
            raise rejected(BAD_TARGETS, "key ID is not valid for key content")


def _require_storable(name: str, role: str, version: int) -> None:
    if version > LARGEST_VERSION:
        raise rejected(name, f"{role} type metadata invalid: version cannot be more than {LARGEST_VERSION}")
