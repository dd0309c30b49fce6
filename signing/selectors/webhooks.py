"""The webhooks of the accounts whose webhooks a person may see, and what was sent to them."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import Account, User, Webhook, WebhookDelivery
from signing.permissions import may
from signing.roles import OVERSEERS
from signing.selectors.reach import Reach


def visible_webhooks(user: User, account: Account | None = None) -> QuerySet[Webhook]:
    """List the webhooks of the accounts, or of one, that this person may see."""
    seen = Webhook.objects.all() if may(user, "read_whole_audit") else _of_led_accounts(user)
    seen = seen.filter(account=account) if account else seen
    return seen.select_related("account", "created_by")


def _of_led_accounts(user: User) -> QuerySet[Webhook]:
    return Webhook.objects.filter(Reach(user, roles=OVERSEERS).in_whole_accounts())


def deliveries_of(webhook: Webhook) -> QuerySet[WebhookDelivery]:
    """List what was or will be sent to a webhook, newest first."""
    return webhook.deliveries.select_related("happening", "webhook__account")
