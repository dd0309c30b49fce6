"""The inbox: what this person was told, and how they want to hear of things."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from signing.models import Event, Notice, NoticeChoice
from signing.selectors.notices import Way, inbox, unread, ways_of
from signing.services.notices import choose_ways, mark_read
from trustui.api.base import ApiRequest, Body, Number, PageOf, Paging, page, words

router = Router()

MOST_AT_ONCE = 500
EventName = Annotated[Event, words(Event)]
WayName = Annotated[NoticeChoice.Way, words(NoticeChoice.Way)]


class NoticeOut(Schema):
    """One thing this person was told."""

    id: int
    event: EventName
    subject: str
    path: str
    at: datetime
    read_at: datetime | None

    @staticmethod
    def resolve_event(notice: Notice) -> str:
        return notice.happening.event

    @staticmethod
    def resolve_subject(notice: Notice) -> str:
        return notice.happening.subject

    @staticmethod
    def resolve_path(notice: Notice) -> str:
        return notice.happening.path

    @staticmethod
    def resolve_at(notice: Notice) -> datetime:
        return notice.happening.at


class WayOut(Schema):
    """How one kind of event reaches a person."""

    event: EventName
    way: WayName


class InboxFilter(Paging):
    """Which notices."""

    unread: bool = False


class Read(Body):
    """Which notices were read; null: all of them."""

    notices: Annotated[list[Number], Field(max_length=MOST_AT_ONCE)] | None = None


class ReadOut(Schema):
    """How many were unread until now."""

    read: int


class Ways(Body):
    """How each kind of event is to reach you; what is left out stays."""

    ways: Annotated[dict[EventName, WayName], Field(max_length=len(Event.values))]


@router.get("/inbox", response=PageOf[NoticeOut], summary="List notices")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[InboxFilter]) -> dict[str, Any]:
    """List what you were told, the newest first. What waits for your decision is `/requests?show=mine`."""
    rows = unread(request.user) if wanted.unread else inbox(request.user)
    return page(request, response, rows, wanted)


@router.post("/inbox/read", response=ReadOut, summary="Mark as read")
def read(request: ApiRequest, body: Read) -> dict[str, int]:
    """Mark notices as read."""
    return {"read": mark_read(actor=request.user, notices=body.notices)}


@router.get("/me/notices", response=list[WayOut], summary="How you hear of things")
def ways(request: ApiRequest) -> list[Way]:
    """List how every kind of event reaches you."""
    return ways_of(request.user)


@router.patch("/me/notices", response=list[WayOut], summary="Choose how you hear of things")
def choices(request: ApiRequest, body: Ways) -> list[Way]:
    """Choose for some kinds of events how they reach you."""
    choose_ways(actor=request.user, ways={str(event): str(way) for event, way in body.ways.items()})
    return ways_of(request.user)
