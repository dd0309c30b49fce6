"""The audit log: who did what, when, and whether the record of it is whole."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.conf import settings
from django.http import Http404, HttpResponse, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import BeforeValidator

from signing.models import AuditEvent
from signing.selectors.audit import AuditFilter, check_chain, export, visible_events
from signing.trust.evidence.audit_check import Report
from trustui.api.base import ApiRequest, Id, PageOf, Paging, Text, found, page
from trustui.api.marks import answers_with_a_file

router = Router()


def _day(value: Any) -> Any:
    if isinstance(value, str) and len(value) != len("2027-01-31"):
        raise ValueError("It has to be a day: 2027-01-31.")
    return value


Day = Annotated[date, BeforeValidator(_day)]


class EventOut(Schema):
    """One event, linked to the one before it by its hash."""

    number: int
    at: datetime
    actor: str
    action: str
    account: str
    subject: str
    reason: str
    detail: dict[str, Any]
    correlation: str
    previous_hash: str
    hash: str

    @staticmethod
    def resolve_actor(event: AuditEvent) -> str:
        return event.actor_name

    @staticmethod
    def resolve_account(event: AuditEvent) -> str:
        return event.account_name

    @staticmethod
    def resolve_hash(event: AuditEvent) -> str:
        return event.event_hash


class FindingOut(Schema):
    """One thing that is wrong, at the event of that number."""

    wrong: str
    number: int
    sentence: str


class ReportOut(Schema):
    """What a check found. `covered` is the number up to which a right signature vouches; 0: no event."""

    is_whole: bool
    entries: int
    last_number: int
    last_hash: str
    covered: int
    findings: list[FindingOut]


class EventFilter(Paging):
    """Which events; `until` is the last day, included."""

    q: Text = ""
    action: Text = ""
    actor: Text = ""
    account: Text = ""
    since: Day | None = None
    until: Day | None = None


@router.get("/audit", response=PageOf[EventOut], summary="List events")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[EventFilter]) -> dict[str, Any]:
    """List every event of the accounts whose log you may read, and what you did anywhere; the newest first."""
    asked = AuditFilter(wanted.q.strip(), wanted.action, wanted.actor, wanted.account, wanted.since, wanted.until)
    return page(request, response, asked.apply(visible_events(request.user)), wanted)


@router.get("/audit/check", response=ReportOut, summary="Check the log")
def check(request: ApiRequest) -> Report:
    """Check the whole chain now, against its signed heads."""
    return check_chain()


@router.get("/audit/chain", response={200: None}, summary="Export the log")
@answers_with_a_file("application/jsonl")
def download(request: ApiRequest) -> StreamingHttpResponse:
    """Give the whole chain, line by line, for `trustctl audit verify`."""
    return StreamingHttpResponse(export(request.user), content_type="application/jsonl")


@router.get("/audit/key.pem", response={200: None}, summary="Download the log's key")
@answers_with_a_file("application/x-pem-file")
def key(request: ApiRequest) -> HttpResponse:
    """Give the public key that the log's heads are signed with."""
    if not settings.AUDIT_PUBLIC_KEY:
        raise Http404
    return HttpResponse(settings.AUDIT_PUBLIC_KEY, content_type="application/x-pem-file")


@router.get("/audit/{int:number}", response=EventOut, summary="Show an event")
def show(request: ApiRequest, number: Id) -> AuditEvent:
    """Show one event; its number is its permanent name."""
    return found(visible_events(request.user), number=number)
