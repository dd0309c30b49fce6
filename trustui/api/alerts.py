"""Alerts: what is not as it should be, accepting what was meant, and keys to watch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status

from signing.models import Alert, WatchedKey
from signing.selectors.alerts import AlertFilter, visible_alerts, watched_keys
from signing.services.alerts import accept_alert, unwatch_key, watch_key
from trustui.api.base import ApiRequest, Body, Id, PageOf, Paging, Reason, Text, found, page, words
from trustui.api.keys import KeyId

router = Router()

AlertKind = Annotated[Alert.Kind, words(Alert.Kind)]


class AlertOut(Schema):
    """One alert; open while `cleared_at` is null. `subject` names a repository, a tag, a trust server or a registry."""

    id: int
    kind: AlertKind
    subject: str
    repository: str | None
    tag: str
    reason_code: str
    reason: str
    next_step: str
    evidence: dict[str, Any]
    raised_at: datetime
    cleared_at: datetime | None
    cleared_because: str
    path: str

    @staticmethod
    def resolve_repository(row: Alert) -> str | None:
        return row.repository.gun if row.repository else None

    @staticmethod
    def resolve_evidence(row: Alert) -> dict[str, Any]:
        return {name: value for name, value in row.evidence.items() if name != "watchers"}

    @staticmethod
    def resolve_path(row: Alert) -> str:
        return row.get_absolute_url()


class AlertQuery(Paging):
    """Which alerts."""

    q: Text = ""
    kind: AlertKind | None = None
    account: Text = ""
    state: Literal["open", "cleared", "all"] = "open"


class Accept(Body):
    """How it is known that the change was meant."""

    reason: Reason = ""


class Watch(Body):
    """Which key."""

    key_id: KeyId


class WatchedOut(Schema):
    """A key whose signatures you hear of."""

    key_id: str
    created_at: datetime


@router.get("/alerts", response=PageOf[AlertOut], summary="List alerts")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[AlertQuery]) -> dict[str, Any]:
    """List what is not as it should be, the newest first; with `state` also what is right again."""
    state = "" if wanted.state == "all" else wanted.state
    asked = AlertFilter(wanted.q, wanted.kind or "", wanted.account, state)
    return page(request, response, asked.apply(visible_alerts(request.user)), wanted)


@router.get("/alerts/{pk}", response=AlertOut, summary="Show an alert")
def show(request: ApiRequest, pk: Id) -> Alert:
    """Show one alert with its evidence."""
    return found(visible_alerts(request.user), pk=pk)


@router.post("/alerts/{pk}/accept", response=AlertOut, summary="Accept a change")
def accept(request: ApiRequest, pk: Id, body: Accept) -> Alert:
    """Say that a change of keys, or a watched key's signature, was meant; its repository is checked anew."""
    return accept_alert(actor=request.user, alert=found(visible_alerts(request.user), pk=pk), reason=body.reason)


@router.get("/me/watched-keys", response=list[WatchedOut], summary="List the keys you watch")
def watched_index(request: ApiRequest) -> list[WatchedKey]:
    """List the keys whose signatures you hear of."""
    return list(watched_keys(request.user))


@router.post("/me/watched-keys", response={201: WatchedOut}, summary="Watch a key")
def watched(request: ApiRequest, body: Watch) -> Status[WatchedKey]:
    """Hear of what a key signs without anybody asking for it here."""
    return Status(201, watch_key(actor=request.user, key_id=body.key_id))


@router.delete("/me/watched-keys/{key_id}", response={204: None}, summary="Watch a key no more")
def unwatch(request: ApiRequest, key_id: KeyId) -> Status[None]:
    """Hear of a key no more."""
    unwatch_key(actor=request.user, key_id=key_id)
    return Status(204, None)
