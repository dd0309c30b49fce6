"""What happened to a repository, told from one verified state to the next: events in order, and periods of each tag.

Notary signs no times of events. `at` is when the server says that a state began: the expiry of its timestamp, which the
server signs, less the fourteen days for which it signs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.states import State, Unproven
from signing.trust.notary.inspect import REPOSITORY_ADMIN
from signing.trust.notary.ordering import natural_key
from signing.trust.tuf import roles

KEY_ROLES = (roles.ROOT, roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `kind` and, as far as it fits, to which tag or role, by whom, replacing what.

    Kinds: initialised, key rotated, signer added, signer removed, signer's keys changed, signed, withdrawn, revoked,
    re-signed, expired, stopped counting, counts again, not proven, proven again.
    """

    kind: str
    at: datetime | None
    timestamp: int
    tag: str = ""
    digest: str = ""
    signer: str = ""
    role: str = ""
    before: str = ""
    detail: str = ""


@dataclass(slots=True)
class Period:
    """For how long one signer's signature made a tag mean one digest. Open at the end while `to` is None.

    `file` is the signed file in which it began to.
    """

    tag: str
    digest: str
    length: int
    signer: str
    start: datetime
    first: int
    file: StoredFile | None
    to: datetime | None = None
    last: int | None = None
    ended: str = ""


_Row = tuple[str, str, str]


@dataclass(slots=True)
class Timeline:
    """Takes states in their order; `events` and `periods` grow."""

    events: list[Event] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    _open: dict[_Row, Period] = field(default_factory=dict)
    _lost: frozenset[_Row] = frozenset()
    _before: State | None = None

    def add(self, state: State | Unproven) -> None:
        """Take the next state. One that is not proven ends every period: nothing is known across it."""
        if isinstance(state, Unproven):
            if self._before is not None:
                self._lose(self._before)
            self._event("not proven", state, detail=state.reason.message)
            return
        before, self._before = self._before, state
        started = len(self.events)
        self._compare_keys(before, state)
        self._compare_signers(before, state)
        self._compare_counting(before, state)
        self._compare_tags(before, state)
        if before is not None and len(self.events) == started:
            self._note_renewals(before, state)

    def _lose(self, last: State) -> None:
        self._lost |= self._open.keys()
        for row in list(self._open):
            self._close(row, last.at, last.timestamp.version, "not proven after this")

    def _event(self, kind: str, state: State | Unproven, **facts: str) -> None:
        self.events.append(Event(kind, state.at, state.timestamp.version, **facts))

    def _compare_keys(self, before: State | None, state: State) -> None:
        root = state.trusted.root
        if before is None:
            self._event("initialised", state, detail=", ".join(root.roles[roles.ROOT].keyids))
            return
        for role in KEY_ROLES:
            old, new = before.trusted.root.roles[role], root.roles[role]
            if set(old.keyids) != set(new.keyids):
                shown = {"before": ", ".join(old.keyids), "detail": ", ".join(new.keyids)}
                self._event("key rotated", state, role=role, **shown)

    def _compare_signers(self, before: State | None, state: State) -> None:
        old, new = _signers(before), _signers(state)
        for name in (name for name in new if name not in old):
            self._event("signer added", state, signer=name, detail=", ".join(new[name]))
        for name in sorted(old.keys() - new.keys()):
            self._event("signer removed", state, signer=name, before=", ".join(old[name]))
        for name in sorted(old.keys() & new.keys()):
            if set(old[name]) != set(new[name]):
                keys = {"before": ", ".join(old[name]), "detail": ", ".join(new[name])}
                self._event("signer's keys changed", state, signer=name, **keys)

    def _compare_counting(self, before: State | None, state: State) -> None:
        """Tell which delegations a client of that day began or ceased to pass over."""
        if state.is_expired and not (before and before.is_expired):
            self._event("expired", state)
        old: Mapping[str, object] = before.trusted.left_out if before else {}
        for role, error in sorted(state.trusted.left_out.items()):
            if role not in old:
                self._event("stopped counting", state, role=role, detail=error.message)
        for role in sorted(old.keys() - state.trusted.left_out.keys()):
            if role in state.trusted.delegations:
                self._event("counts again", state, role=role)

    def _compare_tags(self, before: State | None, state: State) -> None:
        if before is not None and not self._lost and _same_tags(before, state):
            return
        now = _rows(state)
        digests = _digests(now)
        was = _digests(self._open)
        for row in sorted(self._open.keys() - now.keys(), key=_order):
            self._end(row, digests, state)
        for row in sorted(now.keys() - self._open.keys(), key=_order):
            tag, digest, signer = row
            file = state.files.get(_role_of(signer))
            self._open[row] = Period(tag, digest, now[row], signer, state.at, state.timestamp.version, file)
            self.periods.append(self._open[row])
            replaced = ", ".join(sorted(was.get(tag, set()) - digests[tag]))
            kind = "proven again" if row in self._lost else "signed"
            self._event(kind, state, tag=tag, digest=digest, signer=signer, before=replaced)
        self._lost = frozenset()

    def _end(self, row: _Row, digests: Mapping[str, set[str]], state: State) -> None:
        tag, digest, signer = row
        if state.is_expired:
            how = "expired"
        elif tag not in digests:
            how = "releases stopped counting" if roles.RELEASES in state.trusted.left_out else "revoked"
        elif digest not in digests[tag]:
            how = f"replaced by {', '.join(sorted(digests[tag]))}"
        elif signer != REPOSITORY_ADMIN and signer not in _signers(state):
            how = "signer removed"
        else:
            how = "withdrawn"
        self._close(row, state.at, state.timestamp.version, how)
        if how in ("revoked", "withdrawn"):
            self._event(how, state, tag=tag, digest=digest, signer=signer)

    def _close(self, row: _Row, at: datetime, version: int, how: str) -> None:
        period = self._open.pop(row)
        period.to, period.last, period.ended = at, version, how

    def _note_renewals(self, before: State, state: State) -> None:
        """Tell which files a key holder signed again without changing what they say."""
        for role in sorted(state.files.keys() - {roles.TIMESTAMP, roles.SNAPSHOT}):
            if role in before.files and before.files[role] != state.files[role]:
                self._event("re-signed", state, role=role)


def _signers(state: State | None) -> dict[str, list[str]]:
    return {} if state is None else dict(state.trusted.signers())


def _rows(state: State) -> dict[_Row, int]:
    if state.is_expired:
        return {}
    return {
        (row.tag, row.digest_hex, signer): row.length
        for row in state.trusted.released()
        for signer in row.signers or (REPOSITORY_ADMIN,)
    }


def _digests(rows: Mapping[_Row, object]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for tag, digest, _ in rows:
        found.setdefault(tag, set()).add(digest)
    return found


def _same_tags(before: State, state: State) -> bool:
    """Tell from the files alone, without looking at a tag, that nothing about tags can have changed."""
    if before.is_expired != state.is_expired or before.trusted.delegations.keys() != state.trusted.delegations.keys():
        return False
    return all(before.files.get(role) == state.files[role] for role in (roles.TARGETS, *state.trusted.delegations))


def _role_of(signer: str) -> str:
    return roles.TARGETS if signer == REPOSITORY_ADMIN else f"{roles.TARGETS}/{signer}"


def _order(row: _Row) -> tuple[object, str, str]:
    return natural_key(row[0]), row[1], row[2]
