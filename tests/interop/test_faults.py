"""Each part down, slow, resetting or answering garbage: pages answer all the same, name it, and it heals by itself.

A few of the cells run each time; `FAULT_GRID=all` (make faults) runs every one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.parts.stores import Postgres
from tests.parts.waiting import wait_until
from tests.parts.watched_stack import Fault, WatchedStack, watched_stack

pytestmark = pytest.mark.interop

LONGEST = 3.0
"""Seconds within which a page has to answer."""
NOTICED, HEALED = 40, 60  # seconds, on a busy machine

PARTS = {
    "trust server": "trust-server:notary",
    "registry": "registry",
    "engine": "engine",
    "redis": "broker",
}
FAULTS = (Fault.DOWN, Fault.SLOW, Fault.RESETTING, Fault.GARBAGE)
SAMPLE = {("trust server", Fault.SLOW), ("registry", Fault.GARBAGE), ("engine", Fault.RESETTING), ("redis", Fault.DOWN)}
SAMPLE_OF_DATABASE = {Fault.SLOW}
WHOLE = os.environ.get("FAULT_GRID") == "all"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, redis_url: str, postgres: Postgres) -> Iterator[WatchedStack]:
    broker = redis.Redis.from_url(redis_url)
    broker.flushall()
    broker.close()
    port = urlsplit(postgres.url()).port or 0
    postgres.create_database("faults")
    with watched_stack(tmp_path_factory.mktemp("faults"), redis_url, port, "faults") as started:
        yield started


def is_chosen(cell: tuple[str, Fault]) -> bool:
    return WHOLE or cell in SAMPLE


@pytest.mark.parametrize(
    ("part", "fault"), [cell for part in PARTS for fault in FAULTS if is_chosen(cell := (part, fault))]
)
def test_a_part_that_breaks_is_named_and_heals(stack: WatchedStack, part: str, fault: Fault) -> None:
    name = PARTS[part] if part != "registry" else f"registry:{stack.registry}"
    stack.faults[part].become(fault)
    try:
        wait_until(lambda: stack.state(name) == "broken", NOTICED, f"{name} is told to be broken")
        found = stack.parts()[name]
        assert found["sentence"]
        assert found["next_step"]
        for path in ("/", "/health/", "/repositories/"):
            answer, took = stack.ask(path)
            assert answer.status_code == 200
            assert took < LONGEST, f"{path} took {took:.1f} s"
        assert found["title"] in stack.ask("/health/")[0].text
    finally:
        stack.faults[part].become(Fault.NONE)
    stack.wait_good(HEALED)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if WHOLE or fault in SAMPLE_OF_DATABASE])
def test_without_the_database_pages_say_so_at_once(stack: WatchedStack, fault: Fault) -> None:
    stack.faults["database"].become(fault)
    try:
        for path in ("/health/", "/repositories/", "/api/v1/health", "/"):
            answer, took = stack.ask(path)
            assert answer.status_code == 503, path
            assert "The database does not answer" in answer.text
            assert took < LONGEST, f"{path} took {took:.1f} s"
        assert stack.is_up()  # the web process itself does
    finally:
        stack.faults["database"].become(Fault.NONE)
    stack.wait_good(HEALED)


def test_what_is_asked_for_without_redis_is_stored_told_and_done_later(stack: WatchedStack, postgres: Postgres) -> None:
    stack.faults["redis"].become(Fault.SLOW)  # the worst: it accepts and says nothing
    try:
        answer, took = stack.post(f"/repository-check/{stack.registry}/team/app/")
        assert answer.status_code == 302
        assert took < LONGEST
        assert "The queue does not answer now" in answer.text or "messages" in answer.cookies
        operation = stack.ask("/api/v1/operations?limit=1")[0].json()["items"][0]["id"]
        assert "The queue does not answer now" in stack.ask(f"/operations/{operation}/")[0].text
        with psycopg.connect(postgres.url("faults"), autocommit=True) as database:
            database.execute("update signing_operation set created_at = created_at - interval '1 minute'")
    finally:
        stack.faults["redis"].become(Fault.NONE)

    def is_finished() -> bool:
        stack.revive()
        found = stack.ask(f"/api/v1/operations/{operation}")[0].json()
        return found["state"] in ("done", "failed")

    wait_until(is_finished, HEALED, "the operation is done")
    stack.wait_good(HEALED)


def test_a_worker_that_dies_is_named_and_heals(stack: WatchedStack) -> None:
    worker = stack.running["notices"]
    assert worker.pid
    os.killpg(worker.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: stack.state("worker:notices") == "broken", 2 * NOTICED, "the silent worker is named")
        found = stack.parts()["worker:notices"]
        assert "has not reported for" in found["sentence"]
        assert "manage.py rqworker notices" in found["next_step"]
        assert stack.ask("/health/")[1] < LONGEST
    finally:
        os.killpg(worker.pid, signal.SIGCONT)
    stack.wait_good(HEALED)


def test_the_doctor_says_the_same_with_an_exit_code(stack: WatchedStack) -> None:
    assert '"state":"good"' in stack.made.manage("signing_worker", "doctor", "--json")
    stack.faults["trust server"].become(Fault.RESETTING)
    try:
        with pytest.raises(AssertionError):
            stack.made.manage("signing_worker", "doctor")
    finally:
        stack.faults["trust server"].become(Fault.NONE)
    stack.wait_good(HEALED)
