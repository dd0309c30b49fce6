"""Alerts: what is not as it should be, what was and is right again, and the keys a person watches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.models import Alert
from signing.permissions import may
from signing.selectors.alerts import AlertFilter, names_of_keys, visible_alerts, watched_keys
from signing.services.alerts import accept_alert, is_acceptable, unwatch_key, watch_key
from trustui.forms.alerts import AcceptForm, WatchForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page, page_of
from trustui.pages.csv_lines import csv_line

COLUMNS = ("kind", "subject", "tag", "reason_code", "reason", "next_step", "raised_at", "cleared_at", "address")
STATES = ("open", "cleared")


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    wanted = _wanted(request)
    context = {
        "page": page_of(request, wanted.apply(visible_alerts(request.user))),
        "wanted": wanted,
        "is_filtered": wanted != AlertFilter(),
        "kinds": Alert.Kind.choices,
        "query": _query(request),
    }
    return render(request, "pages/alerts.html", context)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    """One alert with its evidence: the permanent address of it."""
    return _alert_page(request, _visible(request, pk), AcceptForm(request))


@login_required
@require_POST
def accept(request: HtmxRequest, pk: int) -> HttpResponse:
    """Say that what it wonders about was meant."""
    alert, form = _visible(request, pk), AcceptForm(request)
    if (
        form.is_valid()
        and form.carry_out(accept_alert, actor=request.user, alert=alert, **form.cleaned_data) is not None
    ):
        messages.success(request, gettext("Accepted. The repository is being checked anew."))
        return redirect(alert)
    return _alert_page(request, alert, form)


@login_required
@require_http_methods(["GET", "POST"])
def watched(request: HtmxRequest) -> HttpResponse:
    """The keys this person wants to hear of, and one more."""
    form = WatchForm(request)
    if form.is_valid() and form.carry_out(watch_key, actor=request.user, **form.cleaned_data) is not None:
        messages.success(request, gettext("Watched. You are told when it signs what nobody asked for here."))
        return redirect("watched_keys")
    rows = list(watched_keys(request.user))
    names = names_of_keys(request.user, [row.key_id for row in rows])
    return form_page(request, "pages/watched_keys.html", form, rows=[(row, names.get(row.key_id, "")) for row in rows])


@login_required
@require_POST
def unwatch(request: HtmxRequest, key_id: str) -> HttpResponse:
    unwatch_key(actor=request.user, key_id=key_id)
    return redirect("watched_keys")


def _visible(request: HtmxRequest, pk: int) -> Alert:
    return get_object_or_404(visible_alerts(request.user), pk=pk)


def _alert_page(request: HtmxRequest, alert: Alert, form: AcceptForm) -> HttpResponse:
    evidence = {name: value for name, value in alert.evidence.items() if name not in ("found", "watchers")}
    return form_page(
        request,
        "pages/alert.html",
        form,
        alert=alert,
        evidence=orjson.dumps(evidence, option=orjson.OPT_INDENT_2).decode() if evidence else "",
        changes=alert.evidence.get("changes", []),
        may_accept=is_acceptable(alert) and _may_accept(request, alert),
    )


def _may_accept(request: HtmxRequest, alert: Alert) -> bool:
    if alert.kind == Alert.Kind.WATCHED and request.user.pk in alert.evidence.get("watchers", []):
        return may(request.user, "manage_own")
    return alert.repository is not None and may(request.user, "accept_change", alert.repository)


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


def _wanted(request: HtmxRequest) -> AlertFilter:
    given = request.GET
    kind, state = given.get("kind", ""), given.get("state", "open")
    return AlertFilter(
        search=given.get("q", "").strip(),
        kind=kind if kind in Alert.Kind.values else "",
        account=given.get("account", "").strip(),
        state=state if state in STATES else "",
    )


def _rows(request: HtmxRequest) -> Iterator[dict[str, Any]]:
    rows: QuerySet[Alert] = _wanted(request).apply(visible_alerts(request.user))
    for alert in rows:
        yield {
            "kind": alert.kind,
            "subject": alert.subject,
            "tag": alert.tag,
            "reason_code": alert.reason_code,
            "reason": alert.reason,
            "next_step": alert.next_step,
            "raised_at": alert.raised_at.isoformat(),
            "cleared_at": alert.cleared_at.isoformat() if alert.cleared_at else "",
            "address": alert.get_absolute_url(),
        }


def _query(request: HtmxRequest) -> str:
    """Keep the filter, not the page, in the addresses of the files."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return kept.urlencode()


def _file(content: bytes, form: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="alerts-{timezone.now():%Y-%m-%d}.{form}"'
    return answer
