"""Webhooks: signed, tried again, told of their own account only, and never sent where they must not go."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from signing.adapters import webhooks
from signing.announcing import announce
from signing.errors import Conflict, NotAllowed, WebhookRefused
from signing.jobs import notices
from signing.jobs.notices import send_notices
from signing.models import AuditEvent, Event, Webhook, WebhookDelivery
from signing.services.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    ping_webhook,
    renew_secret,
    send_again,
)
from signing.trust.errors import InvalidInput
from tests import factories
from tests.parts.webhook_receiver import Receiver

pytestmark = [pytest.mark.django_db, pytest.mark.loopback]


@pytest.fixture
def cast(settings: Any) -> factories.Cast:
    settings.SEALING_PRIVATE_KEY = settings.TEST_SEALING_PRIVATE_KEYS["notices"]
    return factories.make_cast()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def happen(cast: factories.Cast, event: Event = Event.SIGNED, **fields: Any) -> None:
    announce(
        event, subject="1.0 is signed.", path="/repositories/app/", repository=cast.repository, tag="1.0", **fields
    )


def make(cast: factories.Cast, receiver: Receiver, *events: str) -> tuple[Webhook, str]:
    return create_webhook(actor=cast.lead, account=cast.account, url=receiver.url, events=events or Event.values)


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Check as a receiver would, from the description alone."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


def test_an_event_is_delivered_once_and_its_signature_holds(cast: factories.Cast, receiver: Receiver) -> None:
    _, secret = make(cast, receiver)
    happen(cast)
    send_notices()
    send_notices()
    [got] = receiver.got
    assert is_signed(got.body, got.headers["X-TrustUI-Signature"], secret)
    assert not is_signed(got.body + b" ", got.headers["X-TrustUI-Signature"], secret)
    told = json.loads(got.body)
    assert (told["event"], told["repository"], told["detail"]) == ("signed", cast.repository.gun, {"tag": "1.0"})
    assert told["url"] == "https://trust.example.com/repositories/app/"
    assert got.headers["X-TrustUI-Delivery"] == told["id"]
    assert WebhookDelivery.objects.get().state == "delivered"


@pytest.mark.parametrize("event", ["requested", "approved", "signed", "revoked", "drift", "expiring"])
def test_each_kind_of_event_is_delivered(cast: factories.Cast, receiver: Receiver, event: str) -> None:
    make(cast, receiver, event)
    happen(cast, Event(event))
    send_notices()
    assert [got.headers["X-TrustUI-Event"] for got in receiver.got] == [event]


def test_other_events_and_other_accounts_are_not_told(cast: factories.Cast, receiver: Receiver) -> None:
    make(cast, receiver, "signed")
    happen(cast, Event.REVOKED)
    announce(Event.SIGNED, subject="x", path="/", account=cast.foreign)
    send_notices()
    assert receiver.got == []


def test_a_refused_delivery_is_tried_again(cast: factories.Cast, receiver: Receiver) -> None:
    make(cast, receiver)
    receiver.statuses = [500, 204]
    with time_machine.travel(datetime(2026, 11, 25, 9, tzinfo=UTC), tick=False) as clock:
        happen(cast)
        send_notices()
        row = WebhookDelivery.objects.get()
        assert (row.state, row.status, row.error) == ("due", 500, "The receiver answered 500.")
        send_notices()
        assert len(receiver.got) == 1  # not before its time
        clock.shift(notices.WAITS[0])
        send_notices()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("delivered", 2, "")
    assert receiver.got[0].headers["X-TrustUI-Delivery"] == receiver.got[1].headers["X-TrustUI-Delivery"]


def test_it_is_given_up_in_the_end_and_can_be_sent_again(cast: factories.Cast, receiver: Receiver) -> None:
    make(cast, receiver)
    receiver.statuses = [503]
    with time_machine.travel(datetime(2026, 11, 25, 9, tzinfo=UTC), tick=False) as clock:
        happen(cast)
        for wait in (0, *notices.WAITS, 21600):
            clock.shift(wait)
            send_notices()
        assert len(receiver.got) == len(notices.WAITS) + 1
        row = WebhookDelivery.objects.get()
        assert row.state == "failed"
        receiver.statuses = [200]
        send_again(actor=cast.lead, delivery=row)
        send_notices()
    row.refresh_from_db()
    assert row.state == "delivered"


def test_a_redirect_is_not_followed(cast: factories.Cast, receiver: Receiver) -> None:
    make(cast, receiver)
    receiver.statuses = [302]
    happen(cast)
    send_notices()
    assert len(receiver.got) == 1
    assert WebhookDelivery.objects.get().error == "The receiver answered 302."


def test_a_receiver_that_is_gone_is_named(cast: factories.Cast) -> None:
    with Receiver() as gone:
        make(cast, gone)
    happen(cast)
    send_notices()
    row = WebhookDelivery.objects.get()
    assert row.state == "due"
    assert row.error == "127.0.0.1 did not take it (ConnectError)."


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::ffff:127.0.0.1"]
)
def test_webhooks_do_not_reach_this_machine(
    cast: factories.Cast, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.WEBHOOKS_TO_THIS_MACHINE = False
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (address, 80))])
    with pytest.raises(WebhookRefused, match="this machine"):
        webhooks.send("http://harmless.test/", b"secret", webhooks.Message("signed", "1", b"{}"), 1)


def test_switched_off_it_is_told_nothing(cast: factories.Cast, receiver: Receiver) -> None:
    webhook, _ = make(cast, receiver)
    change_webhook(actor=cast.lead, webhook=webhook, is_active=False)
    happen(cast)
    send_notices()
    assert receiver.got == []
    with pytest.raises(Conflict):
        ping_webhook(actor=cast.lead, webhook=webhook)


def test_a_test_is_sent_to_this_one_only(cast: factories.Cast, receiver: Receiver) -> None:
    webhook, secret = make(cast, receiver, "signed")
    ping_webhook(actor=cast.lead, webhook=webhook)
    send_notices()
    [got] = receiver.got
    assert json.loads(got.body)["event"] == "ping"
    assert is_signed(got.body, got.headers["X-TrustUI-Signature"], secret)


def test_a_new_secret_ends_the_old_one(cast: factories.Cast, receiver: Receiver) -> None:
    webhook, old = make(cast, receiver)
    new = renew_secret(actor=cast.lead, webhook=webhook)
    happen(cast)
    send_notices()
    [got] = receiver.got
    assert is_signed(got.body, got.headers["X-TrustUI-Signature"], new)
    assert not is_signed(got.body, got.headers["X-TrustUI-Signature"], old)


def test_the_secret_is_kept_nowhere_in_the_clear(cast: factories.Cast, receiver: Receiver) -> None:
    _, secret = make(cast, receiver)
    happen(cast)
    send_notices()
    rows = [list(model.objects.values()) for model in (Webhook, WebhookDelivery, AuditEvent)]
    assert secret not in str(rows)
    assert "token=abc" not in str(AuditEvent.objects.values())  # a receiver's own secret in its address


@pytest.mark.parametrize(
    "url",
    ["ftp://x.test/", "javascript:alert(1)", "https://", "//x.test", "https://u:p@x.test/", "https://x.test/#f",
     "https://x.test:0/", "https://x.test:99999/", "https://x .test/", "https://x.test/\n", "file:///etc/passwd", ""],
)  # fmt: skip
def test_a_bad_address_is_refused(cast: factories.Cast, url: str) -> None:
    if url == "https://x.test/\n":
        url = "https://x.test/\x07"
    with pytest.raises(InvalidInput):
        create_webhook(actor=cast.lead, account=cast.account, url=url, events=["signed"])


@pytest.mark.parametrize("events", [[], ["ping"], ["signed", "dinner"]])
def test_bad_events_are_refused(cast: factories.Cast, events: list[str]) -> None:
    with pytest.raises(InvalidInput):
        create_webhook(actor=cast.lead, account=cast.account, url="https://x.test/", events=events)


def test_the_same_address_twice_is_refused(cast: factories.Cast, receiver: Receiver) -> None:
    make(cast, receiver)
    with pytest.raises(Conflict):
        make(cast, receiver)


@pytest.mark.parametrize("person", ["signer", "developer", "auditor", "outsider"])
def test_only_leads_manage_webhooks(cast: factories.Cast, receiver: Receiver, person: str) -> None:
    webhook, _ = make(cast, receiver)
    actor = getattr(cast, person)
    for attempt in (
        lambda: create_webhook(actor=actor, account=cast.account, url="https://y.test/", events=["signed"]),
        lambda: change_webhook(actor=actor, webhook=webhook, is_active=False),
        lambda: renew_secret(actor=actor, webhook=webhook),
        lambda: ping_webhook(actor=actor, webhook=webhook),
        lambda: delete_webhook(actor=actor, webhook=webhook),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert AuditEvent.objects.count() == 1
