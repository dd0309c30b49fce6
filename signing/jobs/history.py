"""Tell what happened to repositories, from the versions their servers still have and those that were seen here.

A server is asked politely, and only for what is not kept yet; a change that was seen between two checks asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol, runtime_checkable

import structlog
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from signing import wiring
from signing.adapters.kept_versions import KeptShelf
from signing.jobs.claims import claim
from signing.jobs.tag_states import key_ids_of
from signing.models import HistoryEntry, Repository, SignedTag, TrustServer
from signing.trust.errors import BadResponse, NoTrustData, ServerError, TrustError
from signing.trust.evidence.changefeed import read_changes
from signing.trust.evidence.collect import walk
from signing.trust.evidence.manifest import Absent, ServerChange, StoredFile
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.polite import Politeness, PoliteSource
from signing.trust.evidence.roots import RootChain
from signing.trust.evidence.states import State, States, Unproven
from signing.trust.evidence.timeline import Event, Timeline
from signing.trust.notary.gun import Gun
from signing.trust.notary.inspect import REPOSITORY_ADMIN
from signing.trust.notary.transport import Transport
from signing.trust.tuf import roles

BATCH = 20
LONGEST_TICK = 60.0
TOLD_AGAIN_AFTER = timedelta(minutes=5)
REQUESTS_PER_SECOND = 20.0

Kind = HistoryEntry.Kind

_KINDS = {
    "initialised": Kind.INITIALISED,
    "key rotated": Kind.KEY_REPLACED,
    "signer added": Kind.SIGNER_ADDED,
    "signer removed": Kind.SIGNER_REMOVED,
    "signer's keys changed": Kind.KEY_REPLACED,
    "signed": Kind.SIGNED,
    "withdrawn": Kind.REVOKED,
    "revoked": Kind.REVOKED,
    "re-signed": Kind.RENEWED,
    "expired": Kind.EXPIRED,
    "stopped counting": Kind.STOPPED,
    "counts again": Kind.RESUMED,
    "not proven": Kind.UNPROVEN,
    "proven again": Kind.PROVEN,
}
_log = structlog.get_logger(__name__)


@runtime_checkable
class Feed(Protocol):
    """A server that says when it took each publish."""

    def changes(self, gun: str, after: str, most: int) -> bytes | None:
        """Give a page of a repository's changefeed."""


def tell_history() -> None:
    """Tell on the history of repositories that changed, for as long as a tick may take."""
    end = monotonic() + LONGEST_TICK
    wanted = Q(verified_at__isnull=False) & ~Q(history_version=F("timestamp_version"))
    while monotonic() < end:
        batch = claim("next_history_at", wanted, timezone.now(), TOLD_AGAIN_AFTER, BATCH)
        by_server: dict[TrustServer, list[Repository]] = {}
        for repository in batch:
            by_server.setdefault(repository.account.trust_server, []).append(repository)
        for server, repositories in by_server.items():
            _tell_all(server, repositories)
        if len(batch) < BATCH:
            return


def _tell_all(server: TrustServer, repositories: Sequence[Repository]) -> None:
    politeness = Politeness(REQUESTS_PER_SECOND)
    try:
        with wiring.transport_for(server) as transport:
            for repository in repositories:
                tell(repository, transport, politeness)
    except TrustError as error:
        _log.warning("history.not_told", server=server.name, code=error.code)


def tell(repository: Repository, transport: Transport, politeness: Politeness) -> None:
    """Fetch what is missing, and write what happened since the history was told last.

    Raises:
        ServerError: the server stopped answering; what came so far is kept for the next time.
    """
    shelf = KeptShelf(repository)
    absent: frozenset[Absent] = frozenset()
    if repository.timestamp_version != repository.history_version + 1 or not repository.history_version:
        with suppress(NoTrustData):
            absent = walk(Gun.parse(repository.gun), PoliteSource(transport, politeness), shelf).absent
    shelf.take_trusted()  # a walk goes on after the highest timestamp it finds, so this comes after it
    feed = _read_feed(repository, shelf, transport)
    _write(repository, _Teller(repository, shelf, absent), feed)
    shelf.prune()


def _read_feed(repository: Repository, shelf: KeptShelf, transport: Transport) -> str:
    """Note when the server says it took what is kept; give the number of the last change that was read."""
    if not isinstance(transport, Feed):
        return repository.history_feed
    number = repository.history_feed
    known = [ServerChange(number, timezone.now(), 0, "", "")] if number else []
    with suppress(ServerError, BadResponse):
        rows = read_changes(lambda after, most: transport.changes(repository.gun, after, most), known)
        shelf.note_published({row.sha256: row.at for row in rows if row.sha256})
        number = rows[-1].number if rows else number
    return number


@dataclass(slots=True)
class _Teller:
    """Turns what one state has that the one before had not into rows."""

    repository: Repository
    shelf: KeptShelf
    absent: frozenset[Absent]
    entries: list[HistoryEntry] = field(default_factory=list)
    signed_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    newest: int = 0

    def tell(self) -> None:
        """Go through the states that were not told yet, and the one before them."""
        files = self.shelf.files()
        moments = self.shelf.published()
        chain = RootChain(self.repository.gun, RootPins())
        listed: dict[StoredFile, bytes | None] = {
            file: self.shelf.read(file) for file in files if file.role == roles.ROOT
        }
        chain.add(listed, self.absent, from_first=False)
        told = self.repository.history_version
        if told > self.repository.timestamp_version:
            told = 0  # the repository was made anew, and its numbers begin again
        kept = frozenset(file for file in files if file.role != roles.TIMESTAMP or file.version >= told)
        timeline = Timeline()
        before: State | Unproven | None = None
        for state in States(Gun.parse(self.repository.gun), kept, self.absent, self.shelf.read, chain):
            known = len(timeline.events)
            timeline.add(state)
            if state.timestamp.version > told and (before is not None or not told):
                bounds = _bounds(state, before, moments, is_first=not told)
                for event in timeline.events[known:]:
                    self._add(event, state, before, bounds)
            self.newest = max(self.newest, state.timestamp.version)
            before = state

    def _add(self, event: Event, state: State | Unproven, before: State | Unproven | None, bounds: _Bounds) -> None:
        kind = _KINDS[event.kind]
        if kind == Kind.SIGNED and event.before:
            kind = Kind.REPLACED
        role = _role_of(event, state)
        file = state.files.get(role) if isinstance(state, State) else None
        detail: dict[str, Any] = {"key_ids": _key_ids(state, role), "timestamp": event.timestamp}
        for name, value in (("signer", event.signer), ("before", event.before), ("text", event.detail)):
            if value:
                detail[name] = value[:2000]
        if bounds.is_open:
            detail["is_open"] = True
        self.entries.append(
            HistoryEntry(
                repository=self.repository,
                kind=kind,
                role=role,
                version=file.version if file else event.timestamp,
                tag=event.tag[:255],
                digest=event.digest,
                was=event.before.partition(",")[0][:64] if event.tag else "",
                detail=detail,
                at=bounds.at,
                not_before=bounds.not_before,
            )
        )
        if kind in (Kind.SIGNED, Kind.REPLACED) and not bounds.is_open and not _had(before, event):
            self.signed_at[event.tag, event.digest] = bounds.at


@dataclass(frozen=True, slots=True)
class _Bounds:
    """When something happened at the latest, and at the earliest where that is another moment.

    `is_open` says that it may have been any time before: what came earlier is not known.
    """

    at: datetime
    not_before: datetime | None = None
    is_open: bool = False


def _bounds(
    state: State | Unproven,
    before: State | Unproven | None,
    moments: Mapping[str, tuple[datetime | None, datetime]],
    *,
    is_first: bool,
) -> _Bounds:
    """Tell when a state began: as its server published it, else as its timestamp says, and never after it was seen.

    Where versions are missing before it, what happened may have happened at any time since the one before.
    """
    published, seen = moments.get(state.timestamp.sha256, (None, timezone.now()))
    at = min(published or state.at or seen, seen)
    if before is None:
        return _Bounds(at, is_open=is_first and state.timestamp.version > 1)
    is_gap = state.timestamp.version != before.timestamp.version + 1 or isinstance(before, Unproven)
    earlier, earlier_seen = moments.get(before.timestamp.sha256, (None, at))
    return _Bounds(at, min(earlier or before.at or earlier_seen, at) if is_gap else None)


def _role_of(event: Event, state: State | Unproven) -> str:
    """Name the file an event stands in."""
    if event.role:
        return event.role
    if event.kind in ("revoked", "withdrawn"):
        own = f"{roles.TARGETS}/{event.signer}"
        releases = isinstance(state, State) and roles.RELEASES in state.files and event.kind == "revoked"
        return roles.RELEASES if releases else (roles.TARGETS if event.signer == REPOSITORY_ADMIN else own)
    if event.tag and event.signer and event.signer != REPOSITORY_ADMIN:
        return f"{roles.TARGETS}/{event.signer}"
    if event.kind == "initialised":
        return roles.ROOT
    if event.kind in ("not proven", "expired"):
        return roles.TIMESTAMP
    return roles.TARGETS


def _key_ids(state: State | Unproven, role: str) -> list[str]:
    """Give the canonical ids of the keys that signed the file an event stands in."""
    if not isinstance(state, State) or role not in state.trusted.envelopes:
        return []
    with suppress(TrustError):
        return key_ids_of(state.trusted, role)
    return []


def _had(before: State | Unproven | None, event: Event) -> bool:
    """Tell whether the tag meant the same digest before, by another signer's word."""
    if not isinstance(before, State) or before.is_expired:
        return False
    return any(row.digest_hex == event.digest for row in before.trusted.released(event.tag))


def _write(repository: Repository, teller: _Teller, feed: str) -> None:
    """Write the entries once, whoever else tells the same."""
    teller.tell()
    with transaction.atomic():
        mine = Repository.objects.filter(pk=repository.pk, history_version=repository.history_version)
        changed = {"state_version": F("state_version") + 1} if teller.entries else {}
        if not mine.update(history_version=teller.newest, history_feed=feed, **changed):
            return
        HistoryEntry.objects.bulk_create(teller.entries, batch_size=500)
        rows = [
            row for row in SignedTag.objects.filter(repository=repository) if (row.tag, row.digest) in teller.signed_at
        ]
        for row in rows:
            row.signed_at = teller.signed_at[row.tag, row.digest]
        SignedTag.objects.bulk_update(rows, ["signed_at"], batch_size=200)
