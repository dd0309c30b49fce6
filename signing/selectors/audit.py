"""What happened, for those who may read it, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from signing.chain import entry_of, stamp
from signing.models import AuditEvent, AuditHead, User
from signing.permissions import may
from signing.roles import OVERSEERS
from signing.selectors.reach import Reach
from signing.trust.evidence import audit_file
from signing.trust.evidence.audit_check import Report, check_log
from signing.trust.evidence.audit_log import Entry, Head
from signing.trust.tuf.keys import PublicKey

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are asked for; empty members ask for nothing in particular. `until` is the last day, included."""

    search: str = ""
    action: str = ""
    actor: str = ""
    account: str = ""
    since: date | None = None
    until: date | None = None

    def apply(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Narrow events to these."""
        if self.search:
            text = Q(subject__icontains=self.search) | Q(action__icontains=self.search)
            events = events.filter(text | Q(actor_name__icontains=self.search) | Q(reason__icontains=self.search))
        for name, value in (("action", self.action), ("actor_name", self.actor), ("account_name", self.account)):
            if value:
                events = events.filter(**{name: value})
        if self.since:
            events = events.filter(at__gte=_midnight(self.since))
        if self.until:
            events = events.filter(at__lt=_midnight(self.until + timedelta(days=1)))
        return events


def visible_events(user: User) -> QuerySet[AuditEvent]:
    """List every event of the accounts whose log the person may read, and what the person did anywhere."""
    events = AuditEvent.objects.select_related("actor", "account").order_by("-number")
    if reads_whole_log(user):
        return events
    reached = Reach(user, roles=OVERSEERS).in_whole_accounts()
    return events.filter(reached | Q(actor=user))


def reads_whole_log(user: User) -> bool:
    """Tell whether nothing of the log is withheld from this person."""
    return may(user, "read_whole_audit")


def known_actions(user: User) -> list[str]:
    """List the actions that occur among the events this person may read."""
    return sorted(visible_events(user).order_by().values_list("action", flat=True).distinct())


def newest_head() -> AuditHead | None:
    """Give the newest signed end of the log."""
    return AuditHead.objects.first()


def check_chain() -> Report:
    """Check the whole log against its signed heads, as `trustctl audit verify` does with an exported one."""
    return check_log(_entries(AuditEvent.objects.order_by("number")), _heads(), public_key())


def export(user: User) -> Iterator[bytes]:
    """Write the whole chain as a file for `trustctl audit verify`, line by line.

    Of events this person may not read there are only the hashes, so that the chain can be followed all the same.
    """
    readable = None if reads_whole_log(user) else set(visible_events(user).values_list("pk", flat=True))
    events = AuditEvent.objects.order_by("number").iterator(chunk_size=CHUNK)
    entries = (_exported(event, is_withheld=readable is not None and event.pk not in readable) for event in events)
    return audit_file.lines(stamp(timezone.now()), settings.AUDIT_PUBLIC_KEY, entries, _heads())


def public_key() -> PublicKey | None:
    """Give the key whose signatures vouch for the log; None where this installation was given none."""
    return PublicKey.from_pem(settings.AUDIT_PUBLIC_KEY) if settings.AUDIT_PUBLIC_KEY else None


def _exported(event: AuditEvent, *, is_withheld: bool) -> Mapping[str, Any]:
    linked = {"number": event.number, "previous_hash": event.previous_hash, "hash": event.event_hash}
    return linked if is_withheld else {**entry_of(event), "hash": event.event_hash}


def _entries(events: QuerySet[AuditEvent]) -> Iterator[Entry]:
    for event in events.iterator(chunk_size=CHUNK):
        yield Entry(event.number, event.previous_hash, event.event_hash, entry_of(event))


def _heads() -> list[Head]:
    return [
        Head.from_json(
            {
                "number": row.number,
                "hash": row.event_hash,
                "at": stamp(row.at),
                "key_id": row.key_id,
                "signature": row.signature,
            }
        )
        for row in AuditHead.objects.order_by("number")
    ]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
