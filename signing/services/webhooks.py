"""Webhooks: who is told of an account's events over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from signing.errors import Conflict
from signing.models import Account, Event, Happening, User, Webhook, WebhookDelivery
from signing.permissions import require
from signing.sealing import seal, webhook_context
from signing.services import audit
from signing.trust.errors import InvalidInput

MOST_PER_ACCOUNT = 20
LONGEST_URL = 500


@transaction.atomic
def create_webhook(*, actor: User, account: Account, url: str, events: Sequence[str]) -> tuple[Webhook, str]:
    """Tell an address of an account's events; gives the webhook and its secret, which is shown this once.

    Raises:
        InvalidInput: no usable address, or no events.
        Conflict: the account has this address already, or too many.
    """
    require(actor, "manage_webhooks", account)
    url, events = _checked_url(url), _checked_events(events)
    if account.webhooks.filter(url=url).exists():
        raise Conflict("This account tells that address already.", next_step="Change the events of that webhook.")
    if account.webhooks.count() >= MOST_PER_ACCOUNT:
        raise Conflict(f"An account has at most {MOST_PER_ACCOUNT} webhooks.", next_step="Remove one first.")
    webhook = Webhook.objects.create(account=account, url=url, events=events, secret=b"", created_by=actor)
    secret = _new_secret(webhook)
    audit.record(actor, "create_webhook", account=account, subject=_shown(url), events=events)
    return webhook, secret


@transaction.atomic
def change_webhook(
    *,
    actor: User,
    webhook: Webhook,
    url: str | None = None,
    events: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> Webhook:
    """Change what is given."""
    require(actor, "manage_webhooks", webhook)
    webhook = Webhook.objects.select_for_update().get(pk=webhook.pk)
    before = _facts(webhook)
    if url is not None:
        webhook.url = _checked_url(url)
    if events is not None:
        webhook.events = _checked_events(events)
    if is_active is not None:
        webhook.is_active = is_active
    webhook.save()
    audit.record(
        actor,
        "change_webhook",
        account=webhook.account,
        subject=_shown(webhook.url),
        before=before,
        after=_facts(webhook),
    )
    return webhook


@transaction.atomic
def renew_secret(*, actor: User, webhook: Webhook) -> str:
    """Replace the secret that bodies are signed with; gives the new one, which is shown this once."""
    require(actor, "manage_webhooks", webhook)
    secret = _new_secret(webhook)
    audit.record(actor, "renew_webhook_secret", account=webhook.account, subject=_shown(webhook.url))
    return secret


@transaction.atomic
def delete_webhook(*, actor: User, webhook: Webhook) -> None:
    """Tell an address nothing any more, and forget what was sent to it."""
    require(actor, "manage_webhooks", webhook)
    audit.record(actor, "delete_webhook", account=webhook.account, subject=_shown(webhook.url))
    webhook.delete()


@transaction.atomic
def ping_webhook(*, actor: User, webhook: Webhook) -> WebhookDelivery:
    """Send a test to this webhook alone."""
    require(actor, "manage_webhooks", webhook)
    webhook = Webhook.objects.select_related("account").get(pk=webhook.pk)
    if not webhook.is_active:
        raise Conflict("The webhook is switched off.", next_step="Switch it on first.")
    happening = Happening.objects.create(
        event="ping",
        account=webhook.account,
        actor=actor,
        subject="A test of this webhook.",
        path=reverse("webhook", args=[webhook.pk]),
        spread_at=timezone.now(),  # for nobody's inbox
    )
    delivery = WebhookDelivery.objects.create(webhook=webhook, happening=happening)
    audit.record(actor, "ping_webhook", account=webhook.account, subject=_shown(webhook.url))
    return delivery


@transaction.atomic
def send_again(*, actor: User, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send a delivery once more, whatever became of it. It keeps its id, by which its receiver knows it again."""
    require(actor, "manage_webhooks", delivery.webhook)
    delivery = WebhookDelivery.objects.select_for_update(of=("self",)).get(pk=delivery.pk)
    delivery.state, delivery.attempts, delivery.next_attempt_at = WebhookDelivery.State.DUE, 0, None
    delivery.save(update_fields=["state", "attempts", "next_attempt_at"])
    audit.record(
        actor,
        "send_webhook_again",
        account=delivery.webhook.account,
        subject=_shown(delivery.webhook.url),
        delivery=str(delivery.happening.uuid),
    )
    return delivery


def _new_secret(webhook: Webhook) -> str:
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    webhook.secret = seal("notices", secret.encode(), webhook_context(webhook.pk))
    webhook.save(update_fields=["secret"])
    return secret


def _checked_url(url: str) -> str:
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not parts.hostname or len(url) > LONGEST_URL or not url.isprintable():
        raise InvalidInput("A webhook's address begins with https:// or http:// and names a host.")
    if parts.username or parts.password or parts.fragment or port == 0 or " " in url:
        raise InvalidInput(
            "A webhook's address carries no user name, password, space or fragment.",
            next_step="Each body is signed; let the receiver check the signature instead.",
        )
    return url


def _checked_events(events: Sequence[str]) -> list[str]:
    chosen = [event for event in Event.values if event in events]
    if not chosen or len(chosen) != len(set(events)):
        raise InvalidInput(f"Choose among the events {', '.join(Event.values)}.")
    return chosen


def _facts(webhook: Webhook) -> dict[str, object]:
    return {"url": _shown(webhook.url), "events": webhook.events, "is_active": webhook.is_active}


def _shown(url: str) -> str:
    """Give an address without its query, which may hold a receiver's secret."""
    return urlsplit(url)._replace(query="").geturl()
