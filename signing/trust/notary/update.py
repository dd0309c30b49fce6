"""What one publish sends, before it is signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from signing.trust.notary.draft import Draft
from signing.trust.notary.prepared import PreparedFile, SignaturesMissing
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, FileMeta, Root, Snapshot, Targets
from signing.trust.tuf.roles import Role

if TYPE_CHECKING:  # planning needs no private key
    from signing.trust.notary.held_keys import HeldKeys

ROOT_LIFETIME = timedelta(days=3650)
SNAPSHOT_LIFETIME = timedelta(days=1095)
NEAR_EXPIRY = timedelta(days=183)
"""Six months: Notary's clients then sign the root anew with whatever else they publish (reference 4.6, step 3)."""


@dataclass(frozen=True, slots=True)
class Update:
    """New targets files, each with the role whose keys have to sign it, and the root if that changes too."""

    files: Mapping[str, tuple[Role, Targets]] = field(default_factory=dict)
    root: Root | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to publish."""
        return not self.files and self.root is None

    @property
    def versions(self) -> dict[str, int]:
        """The versions it makes, by role."""
        made = {name: file.version for name, (_, file) in self.files.items()}
        return made if self.root is None else {roles.ROOT: self.root.version, **made}

    def signed(self, before: TrustedRepository | None, held: HeldKeys, now: datetime) -> dict[str, Envelope]:
        """Give the files to send.

        A root is signed by the keys of the one before too, so that clients can follow. A snapshot is among them only
        where its key is at hand: `notary init` keeps it with the client, docker leaves it to the server.

        Raises:
            CannotSign: too few keys of a role are at hand.
            SignaturesMissing: holders elsewhere have to sign as well.
        """
        prepared: list[PreparedFile] = []
        if self.root is not None:
            earlier = [before.root.role(roles.ROOT)] if before else []
            prepared.append(held.prepare(roles.ROOT, self.root, *earlier, self.root.role(roles.ROOT)))
        prepared += [held.prepare(name, file, role) for name, (role, file) in self.files.items()]
        if any(file.wanted for file in prepared):
            raise SignaturesMissing(prepared)
        files = {file.role: file.envelope for file in prepared}
        root = self.root or (before.root if before else None)
        if before and root and held.of(root.role(roles.SNAPSHOT)):
            snapshot = self._next_snapshot(before, files, now)
            files[roles.SNAPSHOT] = held.sign(snapshot, root.role(roles.SNAPSHOT))
        return files

    def _next_snapshot(self, before: TrustedRepository, files: Mapping[str, Envelope], now: datetime) -> Snapshot:
        top = self.files[roles.TARGETS][1] if roles.TARGETS in self.files else before.targets
        listed = {item.name for item in top.delegations}
        kept = {
            name: meta
            for name, meta in before.snapshot.meta.items()
            if name in (roles.ROOT, roles.TARGETS) or "/".join(name.split("/")[:2]) in listed
        }
        meta = {**kept, **{name: FileMeta.of(file.raw) for name, file in files.items()}}
        return Snapshot(version=before.snapshot.version + 1, expires=now + SNAPSHOT_LIFETIME, meta=meta)


def from_draft(draft: Draft, root: Root) -> Update:
    """Give the update that publishes a draft under `root`."""
    return Update({name: (role_of(name, draft, root), file) for name, file in draft.changed.items()})


def role_of(name: str, draft: Draft, root: Root) -> Role:
    """Give a targets role as the draft delegates to it; a role nobody delegates to has no keys."""
    if name == roles.TARGETS:
        return root.role(name)
    parent = draft.parent(name)
    return (parent.role(name) if parent else None) or Role(name, {}, 1)


def renewed(root: Root, now: datetime) -> Root:
    """Give the next version of a root, unchanged but for its time."""
    return replace(root, version=root.version + 1, expires=now + ROOT_LIFETIME)
