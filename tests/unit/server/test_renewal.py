"""Renewal ahead of time by the clock, and what is let go of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import pytest
import time_machine
from django.db import DatabaseError
from django.utils import timezone
from pytest_django.fixtures import Settings

from signing.server import ticks
from signing.server.models import Change, Collection, MetadataFile, OnlineKey
from signing.server.renewal import renew_due
from signing.server.retention import prune
from tests.unit.server.conftest import Api
from tests.unit.trust.notary.publisher import Publisher, tag

Travel = Callable[[float], time_machine.travel]


@pytest.fixture
def later(owner: Publisher) -> Travel:
    """Move the clock by days after the repository was published."""
    start = timezone.now()
    return lambda days: time_machine.travel(start + timedelta(days=days), tick=False)


def versions(role: str) -> list[int]:
    return sorted(MetadataFile.objects.filter(role=role).values_list("version", flat=True))


def test_nothing_is_due_at_first(later: Travel) -> None:
    with later(6):
        assert renew_due() == 0


def test_a_timestamp_is_renewed_without_a_reader(later: Travel) -> None:
    with later(7.1):
        assert (renew_due(), renew_due()) == (1, 0)
    assert versions("timestamp") == [1, 2]
    assert versions("snapshot") == [1]
    assert [change.version for change in Change.objects.order_by("pk")] == [1, 2]


@pytest.mark.parametrize("days", [14, 14.5, 1000])
def test_after_a_long_silence_everything_is_renewed_at_once(api: Api, later: Travel, days: float) -> None:
    with later(days):
        assert renew_due() == 1
        assert api.get("timestamp.json").status_code == 200
        assert api.signed("snapshot.json")["version"] == (2 if days > 905 else 1)


def test_one_that_cannot_be_renewed_holds_up_no_other(api: Api, later: Travel) -> None:
    other = Api(api.client, f"{api.gun}/more")
    assert other.publish(files=other.publisher().first()).status_code == 200
    OnlineKey.objects.filter(gun=api.gun).delete()
    with later(8):
        assert renew_due() == 1
        assert other.signed("timestamp.json")["version"] == 2
        assert renew_due() == 0


def test_a_time_nobody_noted_is_found_out(later: Travel) -> None:
    noted = Collection.objects.get().renew_at
    Collection.objects.update(renew_at=None)
    assert renew_due() == 0
    assert Collection.objects.get().renew_at == noted


def test_a_renewal_under_another_clock_is_not_repeated(api: Api, owner: Publisher, later: Travel) -> None:
    with later(8):
        assert api.publish(("targets/alice", owner.tags())).status_code == 200
        assert renew_due() == 0


# Retention


def publish_daily(api: Api, owner: Publisher, later: Travel, days: int) -> list[bytes]:
    sent = [owner.tags(version=day, targets=tag(f"v{day}")) for day in range(1, days + 1)]
    for day, data in enumerate(sent, 1):
        with later(day):
            assert api.publish(("targets/alice", data)).status_code == 200
    return sent


def test_superseded_versions_stay_for_the_window(api: Api, owner: Publisher, later: Travel, settings: Settings) -> None:
    settings.TRUST_SERVER_KEEP_DAYS = 5
    sent = publish_daily(api, owner, later, 12)
    with later(12.5):
        assert prune() > 0
        kept = [data for data in sent if api.get(f"targets/alice.{sha256(data).hexdigest()}.json").status_code == 200]
        assert kept[-6:] == sent[-6:]
        assert api.get("targets/alice.json").content == sent[-1]
        assert prune() == 0
    stand_on = set(MetadataFile.objects.filter(role="targets/alice").values_list("base_version", flat=True)) - {None}
    assert stand_on <= set(versions("targets/alice"))
    assert len(versions("timestamp")) < 13


def test_what_stays_is_read_exactly(api: Api, owner: Publisher, later: Travel, settings: Settings) -> None:
    settings.TRUST_SERVER_KEEP_DAYS = 3
    sent = publish_daily(api, owner, later, 10)
    with later(10.5):
        prune()
    for version in versions("targets/alice"):
        assert api.get(f"{version}.targets/alice.json").content == sent[version - 1]


def test_roots_and_the_newest_files_always_stay(api: Api, owner: Publisher, later: Travel) -> None:
    assert api.publish(("root", owner.root(2))).status_code == 200
    with later(3000):
        prune()
    assert versions("root") == [1, 2]
    for role in ("targets", "snapshot", "timestamp"):
        assert api.get(f"{max(versions(role))}.{role}.json").status_code == 200


def test_with_no_window_everything_stays(api: Api, owner: Publisher, later: Travel, settings: Settings) -> None:
    settings.TRUST_SERVER_KEEP_DAYS = 0
    publish_daily(api, owner, later, 3)
    with later(3000):
        assert prune() == 0


# The clock


def test_a_tick_survives_a_database_that_does_not_answer(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> int:
        raise DatabaseError("gone")

    monkeypatch.setattr(ticks, "renew_due", fail)
    monkeypatch.setattr(ticks, "close_old_connections", lambda: None)
    ticks.tick(is_pruning=True)
    assert "did not come to its end" in caplog.text
