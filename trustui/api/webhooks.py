"""An account's webhooks: who is told of its events, and what was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Event, Webhook, WebhookDelivery
from signing.permissions import require
from signing.selectors.webhooks import deliveries_of, visible_webhooks
from signing.services.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    ping_webhook,
    renew_secret,
    send_again,
)
from trustui.api.accounts import AccountName
from trustui.api.accounts import find as account_of_name
from trustui.api.base import ApiRequest, Body, Flag, Id, Name, PageOf, Paging, found, page, words
from trustui.api.marks import answers_with_a_secret

router = Router()

Url = Annotated[Name, Field(max_length=500, description="where each event is sent to")]
Events = Annotated[list[Annotated[Event, words(Event)]], Field(min_length=1, max_length=len(Event.values))]


class WebhookOut(Schema):
    """An address that is told of an account's events."""

    id: int
    account: str
    url: str
    events: list[str]
    is_active: bool
    created_at: datetime

    @staticmethod
    def resolve_account(webhook: Webhook) -> str:
        return webhook.account.name


class WebhookSecret(Schema):
    """A webhook and the secret its bodies are signed with. This is the only time to see it."""

    webhook: WebhookOut
    secret: str


class DeliveryOut(Schema):
    """One event on its way to a webhook."""

    id: int
    event: str
    subject: str
    state: Annotated[WebhookDelivery.State, words(WebhookDelivery.State)]
    attempts: int
    status: int | None
    error: str
    next_attempt_at: datetime | None
    delivered_at: datetime | None

    @staticmethod
    def resolve_event(delivery: WebhookDelivery) -> str:
        return delivery.happening.event

    @staticmethod
    def resolve_subject(delivery: WebhookDelivery) -> str:
        return delivery.happening.subject


class NewWebhook(Body):
    """An address and the events it is told of."""

    url: Url
    events: Events


class WebhookChange(Body):
    """What is to change; what is left out stays."""

    url: Url | None = None
    events: Events | None = None
    is_active: Flag | None = None


@router.get("/accounts/{slug:name}/webhooks", response=PageOf[WebhookOut], summary="List webhooks")
def index(request: ApiRequest, response: HttpResponse, name: AccountName, paging: Query[Paging]) -> dict[str, Any]:
    """List whom an account tells of its events."""
    account = account_of_name(request, name)
    require(request.user, "view_webhooks", account)
    return page(request, response, visible_webhooks(request.user, account), paging)


@router.post("/accounts/{slug:name}/webhooks", response={201: WebhookSecret}, summary="Add a webhook")
@answers_with_a_secret
def new(request: ApiRequest, name: AccountName, body: NewWebhook) -> Status[dict[str, Any]]:
    """Tell an address of these events from now on."""
    account = account_of_name(request, name)
    webhook, secret = create_webhook(
        actor=request.user, account=account, url=body.url, events=[str(event) for event in body.events]
    )
    return Status(201, {"webhook": webhook, "secret": secret})


@router.get("/webhooks/{int:pk}", response=WebhookOut, summary="Show a webhook")
def show(request: ApiRequest, pk: Id) -> Webhook:
    """Show what an address is told of."""
    return _find(request, pk)


@router.patch("/webhooks/{int:pk}", response=WebhookOut, summary="Change a webhook")
def change(request: ApiRequest, pk: Id, body: WebhookChange) -> Webhook:
    """Change what is given and keep the rest."""
    given = body.model_dump(exclude_unset=True)
    if body.events is not None:
        given["events"] = [str(event) for event in body.events]
    return change_webhook(actor=request.user, webhook=_find(request, pk), **given)


@router.post("/webhooks/{int:pk}/secret", response=WebhookSecret, summary="Replace a webhook's secret")
@answers_with_a_secret
def secret(request: ApiRequest, pk: Id) -> dict[str, Any]:
    """Sign with a new secret from now on."""
    webhook = _find(request, pk)
    fresh = renew_secret(actor=request.user, webhook=webhook)
    return {"webhook": webhook, "secret": fresh}


@router.post("/webhooks/{int:pk}/ping", response={202: DeliveryOut}, summary="Send a test")
def ping(request: ApiRequest, pk: Id) -> Status[WebhookDelivery]:
    """Send a test, which stands among the deliveries then."""
    return Status(202, ping_webhook(actor=request.user, webhook=_find(request, pk)))


@router.delete("/webhooks/{int:pk}", response={204: None}, summary="Remove a webhook")
def delete(request: ApiRequest, pk: Id) -> Status[None]:
    """Tell the address nothing any more."""
    delete_webhook(actor=request.user, webhook=_find(request, pk))
    return Status(204, None)


@router.get("/webhooks/{int:pk}/deliveries", response=PageOf[DeliveryOut], summary="List deliveries")
def deliveries(request: ApiRequest, response: HttpResponse, pk: Id, paging: Query[Paging]) -> dict[str, Any]:
    """List what was or will be sent, the newest first."""
    return page(request, response, deliveries_of(_find(request, pk)), paging)


@router.post("/webhooks/{int:pk}/deliveries/{int:delivery}/again", response=DeliveryOut, summary="Send it again")
def again(request: ApiRequest, pk: Id, delivery: Id) -> WebhookDelivery:
    """Send one delivery once more."""
    row = found(deliveries_of(_find(request, pk)), pk=delivery)
    return send_again(actor=request.user, delivery=row)


def _find(request: ApiRequest, pk: int) -> Webhook:
    return found(visible_webhooks(request.user), pk=pk)
