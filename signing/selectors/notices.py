"""A person's inbox, and how they want to hear of what happens."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from signing.models import Event, Notice, NoticeChoice, User


@dataclass(frozen=True, slots=True)
class Way:
    """How one kind of event reaches a person."""

    event: str
    label: str
    way: str


def inbox(user: User) -> QuerySet[Notice]:
    """List what a person was told, newest first."""
    return Notice.objects.filter(user=user).select_related("happening__account", "happening__actor")


def unread(user: User) -> QuerySet[Notice]:
    """List what a person was told and has not read."""
    return inbox(user).filter(read_at=None)


def ways_of(user: User) -> list[Way]:
    """List how every kind of event reaches a person; mail at once where they chose nothing."""
    chosen = dict(NoticeChoice.objects.filter(user=user).values_list("event", "way"))
    return [Way(event.value, event.label, chosen.get(event.value, NoticeChoice.Way.NOW)) for event in Event]
