"""Figures for monitoring: who may read them, what they count, and that no secret is among them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from signing import health
from signing.health import Kind, Seen
from signing.services.keys import generate_key
from tests.factories import PASSPHRASE, Cast, make_operation

TOKEN = "CANARY-metrics-token-0123456789"
CANARIES = ("CANARY", PASSPHRASE, "PRIVATE KEY")


@pytest.fixture(autouse=True)
def opened(settings: Any) -> None:
    settings.METRICS_TOKEN, settings.METRICS_FROM = TOKEN, ()


def scraped(client: Client) -> dict[tuple[str, ...], float]:
    """Read every sample, by its name and its labels' values."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_what_is_there_is_counted(cast: Cast, client: Client) -> None:
    old = make_operation("refresh", "refresh", cast.repository)
    type(old).objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    make_operation("publish", "push", cast.repository, state="failed")
    health.report(
        "worker:signing",
        [
            Seen(Kind.TRUST_SERVER, "notary", "Trust server notary", "broken", facts={"milliseconds": 250.0}),
            Seen(Kind.QUEUE, "signing", "Queue signing", facts={"waiting": 7, "oldest_seconds": 3.5}),
        ],
    )

    found = scraped(client)

    assert found["trustui_operations", "refresh", "queued"] == 1
    assert found["trustui_operations", "publish", "failed"] == 1
    assert 299 < found["trustui_operation_oldest_seconds", "queued"] < 400
    assert found["trustui_operation_oldest_seconds", "running"] == 0
    assert found["trustui_repositories", "verified"] == 1
    assert found["trustui_part_up", "trust-server", "notary"] == 0
    assert found["trustui_part_answer_seconds", "trust-server", "notary"] == 0.25
    assert found["trustui_queue_waiting", "signing"] == 7


def test_the_soonest_end_of_each_kind_is_told(cast: Cast, client: Client) -> None:
    ends = timezone.now() + timedelta(days=3)
    cast.repository.roles = [{"role": "targets", "version": 1, "expires": ends.isoformat(timespec="seconds")}]
    cast.repository.save()

    seconds = scraped(client)["trustui_expiry_soonest_seconds", "targets"]

    assert timedelta(days=2).total_seconds() < seconds <= timedelta(days=3).total_seconds()


def test_who_has_neither_token_nor_network_reads_nothing(cast: Cast, client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401
    client.force_login(cast.admin)
    assert client.get("/metrics").status_code == 401
    settings.METRICS_FROM = ("10.0.0.0/8",)
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", REMOTE_ADDR="10.2.3.4").status_code == 200


def test_without_any_setting_there_is_nothing(client: Client, settings: Any, db: None) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_no_secret_is_among_the_figures(cast: Cast, client: Client) -> None:
    cast.account.registry_username = "CANARY-user"
    cast.account.save()
    generate_key(actor=cast.lead, account=cast.account, purpose="root", name="root", passphrase=PASSPHRASE)

    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert not [canary for canary in CANARIES if canary in answer.content.decode()]
    people = (cast.lead.username, cast.alice.name, cast.alice.key.key_id)
    assert not [name for name in people if f'"{name}"' in answer.content.decode()]
