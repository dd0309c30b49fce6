"""The checks of one update, role by role, in the order of Notary v1 (reference 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar

from signing.trust.errors import HashMismatch, LengthMismatch
from signing.trust.notary.known_files import CurrentFiles, KnownFile
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
from signing.trust.notary.upload_reading import read_targets
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets
from signing.trust.tuf.roles import Role

LARGEST_FIRST_VERSION = 1_000_000
LARGEST_STEP = 1_000
"""Each client publishes the version after the newest. Who jumps to the last number there is locks all others out."""

File = TypeVar("File", Snapshot, Targets)


class CheckedUpdate:
    """One update whose root and targets files hold; making it raises otherwise."""

    def __init__(self, gun: str, sent: Mapping[str, Envelope], current: CurrentFiles, now: datetime) -> None:
        self._sent = sent
        self._current = current
        self._now = now
        self._targets: dict[str, Targets] = {}
        self._signed_by: dict[str, Role] = {}
        self.root = self._checked_root(gun)
        for name in sorted(self._sent_targets(), key=lambda name: (name.count("/"), name)):
            self._load_targets(name)
        if roles.ROOT in sent:
            # notary-server stores a root that disowns the stored `targets`; then no client can read the repository.
            self._load_targets(roles.TARGETS)

    def accepted(self) -> list[AcceptedFile]:
        """Give the root and targets files of the update."""
        files: dict[str, Root | Targets] = {name: self._targets[name] for name in self._sent_targets()}
        if roles.ROOT in self._sent:
            files[roles.ROOT] = self.root
        return [
            AcceptedFile(name, file.version, self._sent[name].raw, content=file, signed_by=self._signed_by.get(name))
            for name, file in files.items()
        ]

    def sent_snapshot(self) -> AcceptedFile | None:
        """Give the client's own snapshot if it sent one and it holds; each file it names has to be here."""
        envelope = self._sent.get(roles.SNAPSHOT)
        if envelope is None:
            return None
        snapshot = self._checked(
            BAD_SNAPSHOT, self.root.role(roles.SNAPSHOT), envelope, lambda sent: Snapshot.from_signed(sent.signed)
        )
        for name in {*self._sent_targets(), roles.ROOT} - snapshot.meta.keys():
            raise rejected(BAD_SNAPSHOT, f"no checksums for supported algorithms were provided for {name}")
        for name, meta in snapshot.meta.items():
            file = self._file_in_set(name)
            try:
                if file.meta != meta:  # it may leave the SHA-512 out
                    meta.check(name, file.data)
            except (LengthMismatch, HashMismatch):
                reason = f"sha256 checksum for {name} did not match: expected {meta.sha256}"
                raise rejected(BAD_SNAPSHOT, reason) from None
        return AcceptedFile(roles.SNAPSHOT, snapshot.version, envelope.raw, snapshot.expires, snapshot)

    def _file_in_set(self, name: str) -> KnownFile:
        if name in self._sent:
            return KnownFile(self._sent[name].raw)
        is_listed = name in (roles.ROOT, roles.TARGETS) or roles.is_delegation(name)
        file = self._current.file(name) if is_listed else None
        if file is None:
            raise rejected(BAD_SNAPSHOT, f"{name[:255]} is named but neither sent nor stored")
        return file

    def made_snapshot(self, keys: ServerKeys) -> AcceptedFile:
        """Give the snapshot the server signs where the client sent none."""
        stored = self._current.file(roles.SNAPSHOT)
        previous = stored.read(Snapshot) if stored is not None else None
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
        stored = self._current.file(roles.ROOT)
        previous = stored.read(Root) if stored is not None else None
        if roles.ROOT in self._sent:
            root = accept_root(gun, self._sent[roles.ROOT], previous, self._now)
            self._require_reachable(BAD_ROOT, roles.ROOT, root.version)
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
            file = self._checked(BAD_TARGETS, role, envelope, read_targets)
            _require_sound_delegations(name, file)
            self._signed_by[name] = role
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
        stored = self._current.file(role.name)
        if stored is None:
            raise rejected(BAD_HIERARCHY, f"{role.name} is neither stored nor in the update", missing=role.name)
        with refused_as(BAD_TARGETS, role.name):
            stored.require_signed(role)
        return stored.read(Targets)

    def _checked(self, name: str, role: Role, sent: Envelope, read: Callable[[Envelope], File]) -> File:
        if not sent.signatures:
            raise rejected(name, "tuf: data has no signatures")
        with refused_as(name, role.name):
            role.require_threshold(sent)
            file = read(sent)
        self._require_reachable(name, role.name, file.version)
        if file.is_expired(self._now):
            raise rejected(name, expired(role.name, file.expires))
        return file

    def _require_reachable(self, name: str, role: str, version: int) -> None:
        """Refuse a version so high that the next ones run out; after a deletion clients go on counting, so not 1."""
        newest = self._current.version(role)
        limit = newest + LARGEST_STEP if newest else LARGEST_FIRST_VERSION
        if version > limit:
            raise rejected(name, f"{role} type metadata invalid: version cannot be more than {limit} now")


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
