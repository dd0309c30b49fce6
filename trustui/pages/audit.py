"""The audit log: who did what, when, and whether the record of it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from signing.chain import entry_of, stamp
from signing.models import AuditEvent
from signing.selectors.audit import (
    AuditFilter,
    check_chain,
    export,
    known_actions,
    newest_head,
    public_key,
    reads_whole_log,
    visible_events,
)
from trustui.htmx import HtmxRequest
from trustui.pages.base import page_of
from trustui.pages.csv_lines import csv_line

COLUMNS = ("number", "at", "actor", "action", "account", "subject", "reason", "detail", "correlation", "hash")


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    wanted = _wanted(request)
    context = {
        "page": page_of(request, wanted.apply(visible_events(request.user))),
        "wanted": wanted,
        "is_filtered": wanted != AuditFilter(),
        "actions": known_actions(request.user),
        "head": newest_head(),
        "query": _query(request),
    }
    return render(request, "pages/audit.html", context)


@login_required
@require_GET
def show(request: HtmxRequest, number: int) -> HttpResponse:
    """One event, whole: the permanent address of it."""
    event = get_object_or_404(visible_events(request.user), number=number)
    context = {
        "event": event,
        "detail": _readable(event.detail),
        "raw": orjson.dumps({**entry_of(event), "hash": event.event_hash}, option=orjson.OPT_INDENT_2).decode(),
    }
    return render(request, "pages/audit_event.html", context)


@login_required
@require_GET
def check(request: HtmxRequest) -> HttpResponse:
    """Check the whole chain now."""
    context = {
        "report": check_chain(),
        "head": newest_head(),
        "key": public_key(),
        "sees_all": reads_whole_log(request.user),
        "checked_at": timezone.now(),
    }
    return render(request, "pages/audit_check.html", context)


@login_required
@require_GET
def download(request: HtmxRequest, form: str) -> HttpResponse | StreamingHttpResponse:
    """The rows that are shown as CSV or JSON, or the whole chain for `trustctl audit verify`."""
    rows = _wanted(request).apply(visible_events(request.user))
    if form == "csv":
        return _file(_csv(rows), "audit.csv", "text/csv; charset=utf-8")
    if form == "json":
        return _file(_json(rows), "audit.json", "application/json")
    if form != "chain":
        raise Http404
    return _file(export(request.user), "audit.jsonl", "application/jsonl")


@login_required
@require_GET
def key(request: HtmxRequest) -> HttpResponse:
    """The public key that the log's heads are signed with."""
    if not settings.AUDIT_PUBLIC_KEY:
        raise Http404
    answer = HttpResponse(settings.AUDIT_PUBLIC_KEY, content_type="application/x-pem-file")
    answer["Content-Disposition"] = 'attachment; filename="audit-key.pem"'
    return answer


def _wanted(request: HtmxRequest) -> AuditFilter:
    given = request.GET
    return AuditFilter(
        search=given.get("q", "").strip(),
        action=given.get("action", ""),
        actor=given.get("actor", "").strip(),
        account=given.get("account", "").strip(),
        since=_day(given.get("since", "")),
        until=_day(given.get("until", "")),
    )


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None  # 2026-02-31: a date picker does not send it


def _query(request: HtmxRequest) -> str:
    """Keep the filter, not the page, in the addresses of the downloads."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


def _readable(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Give each member as text: plain values as they are, the rest as JSON."""
    return [
        (name.replace("_", " "), value if isinstance(value, str) else orjson.dumps(value).decode())
        for name, value in detail.items()
    ]


def _csv(rows: QuerySet[AuditEvent]) -> Iterator[bytes]:
    yield csv_line(COLUMNS)
    for event in rows.iterator(chunk_size=1000):
        entry = {**entry_of(event), "hash": event.event_hash, "detail": orjson.dumps(event.detail).decode()}
        yield csv_line(str(entry[name]) for name in COLUMNS)


def _json(rows: QuerySet[AuditEvent]) -> Iterator[bytes]:
    yield b"["
    for place, event in enumerate(rows.iterator(chunk_size=1000)):
        yield (b",\n" if place else b"\n") + orjson.dumps({**entry_of(event), "hash": event.event_hash})
    yield b"\n]\n"


def _file(lines: Iterator[bytes], name: str, kind: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(lines, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name.replace(".", f"-{stamp(timezone.now())[:10]}.")}"'
    return answer
