"""The next state of a repository's targets files while changes are applied to it; nothing is signed or sent here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from signing.trust.errors import MalformedMetadata
from signing.trust.notary.changelist import Change
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Delegation, Targets

TARGETS_LIFETIME = timedelta(days=1095)


class Draft:
    """Targets files with changes on top; a change that is true already changes nothing, as in Notary."""

    def __init__(self, files: Mapping[str, Targets], now: datetime) -> None:
        """Start from the verified `files` by role name; `targets` has to be among them."""
        self._files = dict(files)
        self._expires = now + TARGETS_LIFETIME
        self._changed: set[str] = set()

    @property
    def changed(self) -> dict[str, Targets]:
        """The changed files with their next version and a new expiry, parents first."""
        return {name: self._next(self._files[name]) for name in sorted(self._changed)}

    def _next(self, file: Targets) -> Targets:
        return replace(file, version=file.version + 1, expires=self._expires)

    def parent(self, role: str) -> Targets:
        """The file that delegates to `role`, with the changes so far."""
        return self._files[roles.parent_of(role)]

    def apply(self, change: Change) -> None:
        """Make one change true.

        Raises:
            MalformedMetadata: a change this client cannot make.
        """
        if (change.action, change.kind) == ("create", "target"):
            self._set_target(change)
        elif (change.action, change.kind) == ("create", "delegation"):
            self._add_delegation(change)
        else:
            raise MalformedMetadata(f"A change of kind {change.action} {change.kind} cannot be applied.")

    def _set_target(self, change: Change) -> None:
        file, target = self._file(change.role), change.target
        if file.targets.get(target.name) != target:
            self._replace(change.role, replace(file, targets={**file.targets, target.name: target}))

    def _add_delegation(self, change: Change) -> None:
        parent = self.parent(change.role)
        listed = parent.delegation(change.role) or Delegation(change.role, (), 1, ())
        wanted = self._extended(listed, parent, change)
        if wanted == parent.delegation(change.role):
            return
        others = [wanted if item.name == change.role else item for item in parent.delegations]
        delegations = tuple(others if wanted in others else [*others, wanted])
        keys = {**parent.keys, **{key.key_id: key for key in change.keys if key.key_id in wanted.keyids}}
        self._replace(roles.parent_of(change.role), replace(parent, keys=keys, delegations=delegations))

    def _extended(self, listed: Delegation, parent: Targets, change: Change) -> Delegation:
        held = {parent.keys[keyid].canonical_id for keyid in listed.keyids}
        added = tuple(key.key_id for key in change.keys if key.canonical_id not in held)
        paths = tuple(path for path in change.paths if path not in listed.paths)
        return replace(listed, keyids=listed.keyids + added, paths=listed.paths + paths)

    def _file(self, role: str) -> Targets:
        """The file of `role`; a delegation's first tag makes its file, which starts below version 1."""
        return self._files.get(role) or Targets(version=0, expires=self._expires)

    def _replace(self, role: str, file: Targets) -> None:
        self._files[role] = file
        self._changed.add(role)


def first_targets(expires: datetime) -> Targets:
    """The empty `targets` of a new repository; Notary's tools first publish it as version 2."""
    return Targets(version=1, expires=expires)


def keys_by_id(*keys: PublicKey) -> dict[str, PublicKey]:
    """Index keys by their TUF id, as metadata lists them."""
    return {key.key_id: key for key in keys}
