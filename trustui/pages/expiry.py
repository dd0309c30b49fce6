"""What runs out: a calendar of it, as a page, as files and as a feed for calendar programs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from signing.expiry import Ending, Kind
from signing.models import ApiToken
from signing.selectors.accounts import visible_accounts
from signing.selectors.expiry import ExpiryFilter, month_of, visible_endings
from signing.services.api_tokens import authenticate
from trustui import ics
from trustui.api import limits
from trustui.errors import Refused
from trustui.htmx import HtmxRequest
from trustui.pages.base import page_of
from trustui.pages.csv_lines import csv_line
from trustui.pages.expiry_actions import Actions
from trustui.pages.expiry_months import picture_of

SPANS = (7, 30, 90, 180, 365)
REMIND_DAYS = (30, 7)
SHOWN_BY_SERVERS = 50
COLUMNS = ("kind", "what", "whose", "account", "repository", "ends", "days", "lapses", "address")


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    now, wanted = timezone.now(), _wanted(request)
    everything = visible_endings(request.user)
    of_any_month = ExpiryFilter(wanted.account, wanted.kind, wanted.days).apply(everything, now)
    actions = Actions(request.user)
    own, by_servers = _apart(wanted.apply(everything, now))
    page = page_of(request, own)
    context = {
        "page": page,
        "months": [
            (month, [(ending, ending.days_left(now), actions.of(ending)) for ending in endings])
            for month, endings in groupby(page.object_list, month_of)
        ],
        "by_servers": [(ending, ending.days_left(now)) for ending in by_servers[:SHOWN_BY_SERVERS]],
        "server_count": len(by_servers),
        "picture": picture_of(_apart(of_any_month)[0], now),
        "wanted": wanted,
        "is_filtered": wanted != ExpiryFilter(),
        "has_any": bool(everything),
        "accounts": visible_accounts(request.user),
        "kinds": Kind.choices,
        "spans": SPANS,
        "query": _query(request),
        "feed_address": f"{request.build_absolute_uri(reverse('expiry_feed'))}?token=TOKEN",
    }
    return render(request, "pages/expiry.html", context)


@login_required
@require_GET
def as_csv(request: HtmxRequest) -> HttpResponse:
    """The rows that are shown, on all pages, for a spreadsheet."""
    lines = [csv_line(COLUMNS), *(csv_line(row[name] for name in COLUMNS) for row in _rows(request))]
    return _file(b"".join(lines), "csv", "text/csv; charset=utf-8")


@login_required
@require_GET
def as_json(request: HtmxRequest) -> HttpResponse:
    """The rows that are shown, on all pages, for a program."""
    return _file(orjson.dumps(list(_rows(request)), option=orjson.OPT_INDENT_2), "json", "application/json")


@never_cache
@require_safe
def feed(request: HtmxRequest) -> HttpResponse:
    """What runs out, for a calendar program, which cannot sign in: its address holds an API token that only reads.

    Addresses are kept in more places than passwords are. So a token that may do more is refused, and a session does not
    count. What servers renew by themselves is left out: it would move every few days.
    """
    try:
        limits.require_few_wrong_tokens(request)
        token = authenticate(request.GET.get("token", ""))
        if token:
            limits.require_below_limits(request, token.user)
    except Refused:
        return _told(gettext("This was asked too often. Try again in a minute."), 429)
    if token is None:
        limits.count_wrong_token(request)
        return _told(gettext("This calendar needs an API token: /expiry/calendar.ics?token=trustui_..."), 401)
    if token.scopes != [ApiToken.Scope.READ]:
        return _told(
            gettext("A calendar's address takes a token that may read and nothing else. Make one for it."), 403
        )
    own, _ = _apart(_wanted(request).apply(visible_endings(token.user), timezone.now()))
    events = [_event(request, ending) for ending in own]
    written = ics.calendar(gettext("What runs out"), events, made_at=timezone.now(), remind_days=REMIND_DAYS)
    return HttpResponse(written, content_type="text/calendar; charset=utf-8")


def row_of(ending: Ending, now: datetime) -> dict[str, Any]:
    """Give one ending in a program's words; `address` is the page about it."""
    return {
        "kind": str(ending.kind),
        "what": ending.what,
        "whose": ending.whose,
        "account": ending.account.name if ending.account else "",
        "repository": ending.repository.gun if ending.repository else "",
        "ends": ending.ends.isoformat(),
        "days": ending.days_left(now),
        "lapses": ending.lapses,
        "address": ending.path,
    }


def _wanted(request: HtmxRequest) -> ExpiryFilter:
    given = request.GET
    days = given.get("days", "")
    return ExpiryFilter(
        account=given.get("account", "").strip(),
        kind=given.get("kind", "") if given.get("kind") in Kind.values else "",
        days=int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else None,
        month=given.get("month", ""),
    )


def _apart(endings: Sequence[Ending]) -> tuple[list[Ending], list[Ending]]:
    """Separate what somebody has to see to from what a server renews by itself."""
    by_servers = [ending for ending in endings if ending.kind == Kind.SERVER]
    return [ending for ending in endings if ending.kind != Kind.SERVER], by_servers


def _rows(request: HtmxRequest) -> Iterator[dict[str, Any]]:
    now = timezone.now()
    return (row_of(ending, now) for ending in _wanted(request).apply(visible_endings(request.user), now))


def _query(request: HtmxRequest) -> str:
    """Keep the filter, not the page, in the addresses of the files."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


def _event(request: HtmxRequest, ending: Ending) -> ics.Event:
    where = ending.repository.gun if ending.repository else ending.account or ""
    return ics.Event(
        uid=f"{hashlib.sha256(ending.thing.encode()).hexdigest()[:32]}@{request.get_host()}",
        day=ending.ends.astimezone(timezone.get_current_timezone()).date(),
        summary=" ".join(
            filter(None, (gettext("%(what)s ends") % {"what": ending.what}, f"({where})" if where else ""))
        ),
        description=f"{ending.subject} at {ending.ends:%Y-%m-%d %H:%M} UTC.\n{ending.lapses}",
        url=request.build_absolute_uri(ending.path),
        category=str(Kind(ending.kind).label),
    )


def _file(content: bytes, form: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="expiry-{timezone.now():%Y-%m-%d}.{form}"'
    return answer


def _told(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
