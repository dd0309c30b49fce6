"""The checks of one update, role by role, in the order of Notary v1."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from signing.trust.errors import HashMismatch, LengthMismatch
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
from signing.trust.notary.server_made import AcceptedFile, ServerKeys, next_snapshot
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets
from signing.trust.tuf.roles import Role

LARGEST_VERSION = 2**31 - 1

File = TypeVar("File", Snapshot, Targets)


class CurrentFiles(Protocol):
    """What is stored for one GUN now: the highest version of each role."""

    def data(self, role: str) -> bytes | None:
        """Give a role's file."""

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""


class CheckedUpdate:
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
