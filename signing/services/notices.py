"""A person's own notices: reading them, and choosing how they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from signing.models import Event, Notice, NoticeChoice, User
from signing.permissions import require
from signing.selectors.notices import unread, ways_of
from signing.services import audit
from signing.trust.errors import InvalidInput


def mark_read(*, actor: User, notices: Sequence[int] | None = None) -> int:
    """Mark a person's notices as read, all of them or those of these rows; gives how many were unread.

    Reading changes nothing that anybody else sees, so it leaves no event in the audit log.
    """
    require(actor, "manage_own")
    rows = unread(actor)
    if notices is not None:
        rows = rows.filter(pk__in=notices)
    return Notice.objects.filter(pk__in=rows.values("pk")).update(read_at=timezone.now())


@transaction.atomic
def choose_ways(*, actor: User, ways: Mapping[str, str]) -> None:
    """Choose how kinds of events reach oneself, by event; those that are not named stay.

    Raises:
        InvalidInput: no such event or way.
    """
    require(actor, "manage_own")
    if not set(ways) <= set(Event.values) or not set(ways.values()) <= set(NoticeChoice.Way.values):
        raise InvalidInput("There is no such event, or no such way to hear of it.")
    before = {row.event: row.way for row in ways_of(actor) if row.event in ways}
    for event, way in ways.items():
        NoticeChoice.objects.update_or_create(user=actor, event=event, defaults={"way": way})
    audit.record(actor, "choose_notices", account=None, subject=actor.username, before=before, after=dict(ways))
