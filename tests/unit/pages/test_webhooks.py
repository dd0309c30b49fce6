"""The pages of webhooks: the secret shown once, deliveries, and who gets in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import User, Webhook, WebhookDelivery
from signing.services.webhooks import create_webhook, ping_webhook
from tests.factories import Cast


@pytest.fixture
def webhook(cast: Cast) -> Webhook:
    made, _ = create_webhook(
        actor=cast.lead, account=cast.account, url="https://hook.test/in?token=abc", events=["signed"]
    )
    return made


def test_a_lead_adds_one_and_sees_its_secret_once(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    answer = client.post("/accounts/team/webhooks/new/", {"url": "https://hook.test/", "events": ["signed", "drift"]})
    assert answer.status_code == 201
    [secret] = set(re.findall(r"whsec_[\w-]{43}", answer.content.decode()))
    made = Webhook.objects.get()
    assert (made.url, made.events) == ("https://hook.test/", ["signed", "drift"])
    assert secret not in client.get(f"/webhooks/{made.pk}/").content.decode()


def test_refused_input_keeps_what_was_typed(cast: Cast, as_person: Callable[[User], Client]) -> None:
    answer = as_person(cast.lead).post(
        "/accounts/team/webhooks/new/", {"url": "ftp://hook.test/", "events": ["signed"]}
    )
    assert answer.status_code == 400
    assert "ftp://hook.test/" in answer.content.decode()
    assert not Webhook.objects.exists()


def test_deliveries_show_what_became_of_them(cast: Cast, webhook: Webhook, as_person: Callable[[User], Client]) -> None:
    delivery = ping_webhook(actor=cast.lead, webhook=webhook)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state="failed", attempts=7, status=500, error="The receiver answered <500>."
    )
    client = as_person(cast.lead)
    page = client.get(f"/webhooks/{webhook.pk}/").content.decode()
    assert "given up after 7 attempts: The receiver answered &lt;500&gt;." in page
    assert client.post(f"/webhooks/{webhook.pk}/deliveries/{delivery.pk}/again/").status_code == 302
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("due", 0)


def test_it_is_changed_pinged_given_a_new_secret_and_removed(
    cast: Cast, webhook: Webhook, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    address = f"/webhooks/{webhook.pk}/"
    assert client.post(address, {"url": "https://new.test/", "events": ["drift"], "is_active": "on"}).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events) == ("https://new.test/", ["drift"])
    assert client.post(f"{address}ping/").status_code == 302
    assert "whsec_" in client.post(f"{address}secret/").content.decode()
    assert client.post(f"{address}delete/").status_code == 302
    assert not Webhook.objects.exists()


def test_an_auditor_looks_and_changes_nothing(
    cast: Cast, webhook: Webhook, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.auditor)
    assert client.get(f"/webhooks/{webhook.pk}/").status_code == 200
    assert client.post(f"/webhooks/{webhook.pk}/delete/").status_code == 403
    assert Webhook.objects.exists()


@pytest.mark.parametrize("person", ["developer", "signer", "outsider"])
def test_others_cannot_tell_it_from_none(
    cast: Cast, webhook: Webhook, as_person: Callable[[User], Client], person: str
) -> None:
    client = as_person(getattr(cast, person))
    for address in (f"/webhooks/{webhook.pk}/", "/webhooks/999999/"):
        assert client.get(address).status_code == 404
        assert client.post(f"{address}delete/").status_code == 404


def test_a_delivery_of_another_webhook_is_not_found(
    cast: Cast, webhook: Webhook, as_person: Callable[[User], Client]
) -> None:
    other, _ = create_webhook(actor=cast.lead, account=cast.account, url="https://other.test/", events=["signed"])
    delivery = ping_webhook(actor=cast.lead, webhook=other)
    answer = as_person(cast.lead).post(f"/webhooks/{webhook.pk}/deliveries/{delivery.pk}/again/")
    assert answer.status_code == 404
