"""What readers get: the newest, one version, one hash; renewed before its time is over."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from signing.server.models import Change, OnlineKey
from tests.unit.server.conftest import Api, error_of
from tests.unit.trust.notary.publisher import Publisher

DAY = timedelta(days=1)


def test_headers_are_those_clients_and_proxies_know(api: Api, owner: Publisher) -> None:
    current, old = api.get("root.json"), api.get("1.root.json")
    assert current["Content-Type"] == "text/plain; charset=utf-8"
    assert current["Content-Length"] == str(len(current.content))
    assert current["Cache-Control"] == "public, max-age=300, s-maxage=300, must-revalidate"
    assert old["Cache-Control"] == "public, max-age=2592000, s-maxage=2592000"
    assert current["Last-Modified"].endswith(" UTC")
    assert not current.has_header("ETag")


def test_old_versions_stay(api: Api, owner: Publisher) -> None:
    api.publish(("targets", owner.targets(3)))
    assert [api.signed(f"{name}targets.json")["version"] for name in ("2.", "3.", "003.", "")] == [2, 3, 3, 3]
    assert api.get("4.targets.json").status_code == 404


def test_a_hash_finds_lower_case_sha256_of_that_role_only(api: Api, owner: Publisher) -> None:
    digest = sha256(api.get("root.json").content).hexdigest()
    found = api.get(f"root.{digest}.json")
    assert (found.status_code, found["Cache-Control"]) == (200, "public, max-age=2592000, s-maxage=2592000")
    for name in (f"root.{digest.upper()}.json", f"targets.{digest}.json", f"root.{digest}{'0' * 64}.json"):
        assert api.get(name).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2",
        "/v2/app/_trust/tuf/Root.json",
        "/v2/app/_trust/tuf/mirror.json",
        "/v2/app/_trust/tuf/targets/UPPER.json",
        "/v2/app/_trust/tuf/targets/a%00.json",
        "/v2/app/_trust/tuf/root.key",
        "/v2/app/_trust/tuf/root.json%0a",
        "/v2/app/_trust/tuf/99999999999.root.json",
        "/v2/*/_trust/tuf/root.json",
        "/v2//_trust/tuf/root.json",
    ],
)
def test_what_is_no_route_is_not_found(api: Api, path: str) -> None:
    answer = api.client.get(path)
    assert answer.status_code == 404
    assert error_of(answer) == {
        "code": "METADATA_NOT_FOUND",
        "message": "You have requested metadata that does not exist.",
    }


def test_missing_metadata_is_not_found(api: Api, owner: Publisher) -> None:
    for name in ("targets/alice.json", "9.root.json", f"root.{'0' * 64}.json"):
        answer = api.get(name)
        assert (answer.status_code, error_of(answer)["detail"]) == (404, {})


@pytest.mark.parametrize("method", ["head", "put", "patch", "options", "post"])
def test_other_methods_are_not_found(api: Api, owner: Publisher, method: str) -> None:
    assert getattr(api.client, method)(api.path("root.json")).status_code == 404


def test_the_servers_own_doors(api: Api) -> None:
    for path in ("/v2/", "/_notary_server/health"):
        answer = api.client.get(path)
        assert (answer.status_code, answer.content) == (200, b"{}")


def test_health_names_a_master_key_that_cannot_be_used(api: Api, settings: Settings) -> None:
    settings.TRUST_SERVER_MASTER_KEY = b"short"
    answer = api.client.get("/_notary_server/health")
    assert (answer.status_code, list(answer.json())) == (503, ["Trust operational"])


@pytest.mark.parametrize("name", ["root.json", "timestamp.json", "1.root.json", f"root.{'0' * 64}.json"])
def test_a_read_costs_one_query(api: Api, owner: Publisher, name: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        api.get(name)
    assert len(queries) == 1


def test_repositories_do_not_mix(api: Api, owner: Publisher) -> None:
    other = Api(api.client, f"{api.gun}/more")
    assert other.publish(files=other.publisher().first()).status_code == 200
    assert api.get("root.json").content != other.get("root.json").content
    assert api.delete().status_code == 200
    assert api.get("root.json").status_code == 404
    assert other.signed("root.json")["version"] == 1


def test_a_deletion_is_complete_and_repeatable_and_keeps_the_keys(api: Api, owner: Publisher) -> None:
    digest = sha256(api.get("root.json").content).hexdigest()
    for _ in range(2):
        answer = api.delete()
        assert (answer.status_code, answer.content) == (200, b"")
    for name in ("root.json", "timestamp.json", "1.root.json", f"root.{digest}.json"):
        assert api.get(name).status_code == 404
    assert OnlineKey.objects.count() == 2
    assert api.publish(files=owner.first()).status_code == 200  # a client that still has its old root


# Renewal


@pytest.fixture
def later(owner: Publisher):  # type: ignore[no-untyped-def]
    """Move the clock by days after the repository was published."""
    start = timezone.now()

    def move(days: float) -> time_machine.travel:
        return time_machine.travel(start + days * DAY, tick=False)

    return move


def test_a_reader_gets_a_timestamp_with_days_left(api: Api, later) -> None:  # type: ignore[no-untyped-def]
    with later(6):
        assert api.signed("timestamp.json")["version"] == 1
    with later(7.1):
        assert api.signed("timestamp.json")["version"] == 2
        assert api.signed("timestamp.json")["version"] == 2
    with later(40):
        assert api.signed("timestamp.json")["version"] == 3
    assert api.signed("1.timestamp.json")["version"] == 1
    assert [change.version for change in Change.objects.order_by("pk")] == [1, 2, 3]


def test_a_snapshot_is_renewed_through_either_file(api: Api, later) -> None:  # type: ignore[no-untyped-def]
    with later(1000):
        assert api.signed("snapshot.json")["version"] == 2
        assert api.signed("timestamp.json")["version"] == 2
    with later(2000):
        assert api.signed("timestamp.json")["version"] == 3
        assert api.signed("snapshot.json")["version"] == 3


def test_what_cannot_be_renewed_is_served_until_it_expires(api: Api, later) -> None:  # type: ignore[no-untyped-def]
    OnlineKey.objects.all().delete()
    with later(10):
        assert api.signed("timestamp.json")["version"] == 1
    with later(15):
        answer = api.get("timestamp.json")
        assert (answer.status_code, error_of(answer)["code"]) == (500, "UNKNOWN")


def test_the_root_is_served_even_when_expired(api: Api, later) -> None:  # type: ignore[no-untyped-def]
    with later(4000):
        assert api.signed("root.json")["version"] == 1
