"""The next state of a repository's targets files while changes are applied to it; nothing is signed or sent here.

Reference 4.5, 4.6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from signing.trust.errors import MalformedMetadata, NotFound
from signing.trust.notary.changelist import EVERY_DELEGATION, Change
from signing.trust.notary.delegating import extended, with_delegation, without_delegation, without_keys
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Delegation, Targets

TARGETS_LIFETIME = timedelta(days=1095)
NO_FILES: Mapping[str, Targets] = {}
NO_VERSIONS: Mapping[str, int] = {}


class Draft:
    """Targets files with changes on top; a change that is true already changes nothing, as in Notary."""

    def __init__(
        self,
        files: Mapping[str, Targets],
        now: datetime,
        *,
        set_aside: Mapping[str, Targets] = NO_FILES,
        stored: Mapping[str, int] = NO_VERSIONS,
    ) -> None:
        """Start from the verified `files` by role name; `targets` has to be among them.

        Files `set_aside` do not count now: a witness takes one as it is, any other change of that role starts an empty
        file above its version. `stored` has versions that a server holds of files nobody refers to any more.
        """
        self._files = dict(files)
        self._set_aside = dict(set_aside)
        self._stored = stored
        self._expires = now + TARGETS_LIFETIME
        self._changed: set[str] = set()

    @property
    def changed(self) -> dict[str, Targets]:
        """The changed files with their next version and a new expiry, parents first."""
        return {name: self._next(self._files[name]) for name in sorted(self._changed)}

    def _next(self, file: Targets) -> Targets:
        return replace(file, version=file.version + 1, expires=self._expires)

    def parent(self, role: str) -> Targets | None:
        """The file that delegates to `role`, with the changes so far; None if there is no such file."""
        return self._files.get(roles.parent_of(role))

    def apply(self, change: Change) -> None:
        """Make one change true.

        Raises:
            NotFound: the role to change does not exist.
            MalformedMetadata: a change this client cannot make.
        """
        edit = _EDITS.get((change.action, change.kind))
        if edit is None or not _is_possible(change):
            raise MalformedMetadata(f"A change `{change.action} {change.kind}` of {change.role[:80]!r} is not known.")
        edit(self, change)

    def _set_target(self, change: Change) -> None:
        file, target = self._file(change.role), change.target
        if file.targets.get(target.name) != target:
            self._replace(change.role, file.with_target(target))

    def _remove_target(self, change: Change) -> None:
        file = self._file(change.role)
        if change.path in file.targets:
            self._replace(change.role, file.without_target(change.path))

    def _add_delegation(self, change: Change) -> None:
        parent = self._file(roles.parent_of(change.role))
        fresh = Delegation(change.role, (), change.threshold or 1, ())
        wanted = extended(parent, parent.delegation(change.role) or fresh, change.keys, change.texts("add_paths"))
        if wanted != parent.delegation(change.role):
            self._replace(roles.parent_of(change.role), with_delegation(parent, wanted, change.keys))

    def _edit_delegation(self, change: Change) -> None:
        if change.role == EVERY_DELEGATION:
            self._purge(change.texts("remove_keys"))
            return
        name, parent = roles.parent_of(change.role), self._file(roles.parent_of(change.role))
        listed = parent.delegation(change.role)
        if listed is None:
            raise NotFound(f"There is no delegation {change.role}.", next_step="List the delegations, then try again.")
        dropped = listed.paths if change.clears_paths else change.texts("remove_paths")
        kept = tuple(path for path in listed.paths if path not in dropped)
        edited = replace(listed, paths=kept, threshold=change.threshold or listed.threshold)
        edited = extended(parent, edited, change.keys, change.texts("add_paths"))
        file = parent if edited == listed else with_delegation(parent, edited, change.keys)
        file = without_keys(file, change.role, change.texts("remove_keys"))
        if file != parent:
            self._replace(name, file)

    def _purge(self, key_ids: tuple[str, ...]) -> None:
        for name, file in list(self._files.items()):
            purged = file
            for item in file.delegations:
                purged = without_keys(purged, item.name, key_ids)
            if purged != file:
                self._replace(name, purged)

    def _remove_delegation(self, change: Change) -> None:
        parent = self.parent(change.role)
        if parent is None or parent.delegation(change.role) is None:
            return
        self._replace(roles.parent_of(change.role), without_delegation(parent, change.role))
        for name in [name for name in self._files if f"{name}/".startswith(f"{change.role}/")]:
            del self._files[name]
            self._changed.discard(name)

    def _witness(self, change: Change) -> None:
        file = self._files.get(change.role) or self._set_aside.get(change.role)
        if file is None:
            raise NotFound(f"{change.role} has no file that could be signed anew.", next_step="Sign a tag in it first.")
        self._replace(change.role, file)

    def _clear(self, change: Change) -> None:
        file = self._file(change.role)
        self._replace(change.role, Targets(version=file.version, expires=self._expires))

    def _file(self, role: str) -> Targets:
        """The file of `role`; the first tag makes a delegation's file, which starts below version 1."""
        if role in self._files:
            return self._files[role]
        if role != roles.TARGETS and not self._is_delegated(role):
            raise NotFound(f"There is no delegation {role[:80]!r}.", next_step="Add the delegation first.")
        aside = self._set_aside.get(role)
        version = max(aside.version if aside else 0, self._stored.get(role, 0))
        return Targets(version=version, expires=self._expires)

    def _is_delegated(self, role: str) -> bool:
        parent = self.parent(role)
        return parent is not None and parent.delegation(role) is not None

    def _replace(self, role: str, file: Targets) -> None:
        self._files[role] = file
        self._changed.add(role)


_EDITS: Mapping[tuple[str, str], Callable[[Draft, Change], None]] = {
    ("create", "target"): Draft._set_target,
    ("update", "target"): Draft._set_target,
    ("delete", "target"): Draft._remove_target,
    ("create", "delegation"): Draft._add_delegation,
    ("update", "delegation"): Draft._edit_delegation,
    ("delete", "delegation"): Draft._remove_delegation,
    ("update", "witness"): Draft._witness,
    ("create", "witness"): Draft._witness,
    ("update", "clear"): Draft._clear,
}


def _is_possible(change: Change) -> bool:
    if change.kind == "delegation":
        is_purge = change.role == EVERY_DELEGATION and change.action == "update"
        return is_purge or roles.is_delegation(change.role)
    return change.role == roles.TARGETS or roles.is_delegation(change.role)


def first_targets(expires: datetime) -> Targets:
    """The empty `targets` of a new repository; Notary's tools first publish it as version 2."""
    return Targets(version=1, expires=expires)
