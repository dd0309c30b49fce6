"""The two workers and the scheduler as processes of their own, with Redis and without."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.parts.installation import PATIENCE, Installation, installed
from tests.parts.waiting import wait_until

PASSPHRASE = "CANARY-correct-horse"

ASK = f"""
from signing.models import Account, TrustServer, User
from signing.services.keys import generate_key
admin = User.objects.filter(username="root").first() or User.objects.create_superuser("root")
server, _ = TrustServer.objects.get_or_create(name="none", url="https://127.0.0.1:1")
account, _ = Account.objects.get_or_create(name="team", registry="r.test", namespace="team", trust_server=server)
number = account.operations.count()
print(generate_key(actor=admin, account=account, purpose="signer", name=f"bob{{number}}", passphrase="{PASSPHRASE}").pk)
"""


@pytest.fixture
def with_redis(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    redis.Redis.from_url(redis_url).flushall()
    made = installed(tmp_path, redis_url)
    yield made
    made.stop()


@pytest.fixture
def without_redis(tmp_path: Path) -> Iterator[Installation]:
    made = installed(tmp_path, "")
    yield made
    made.stop()


def ask_for_key(made: Installation) -> int:
    return int(made.shell(ASK))


def start_workers(made: Installation) -> None:
    for name in ("signing", "docker"):
        made.start(f"{name}-worker", f"{name}_worker", "rqworker", "--serializer=rq.serializers.JSONSerializer", name)


def test_what_a_page_asks_for_the_worker_does_and_redis_saw_an_id_only(with_redis: Installation) -> None:
    operation = ask_for_key(with_redis)
    broker = redis.Redis.from_url(with_redis.redis_url)
    seen = "".join(repr(broker.dump(key)) for key in broker.scan_iter())
    assert f"operation-{operation}-generate_key" in seen
    assert "CANARY" not in seen
    start_workers(with_redis)
    assert with_redis.wait_done(operation)["error"] == ""
    assert "CANARY" not in "".join(log.read_text() for log in with_redis.folder.glob("*.log"))
    assert not any(b"CANARY" in file.read_bytes() for file in with_redis.folder.glob("db.sqlite3*"))


def test_the_scheduler_hands_over_what_the_queue_lost(with_redis: Installation) -> None:
    operation = ask_for_key(with_redis)
    redis.Redis.from_url(with_redis.redis_url).flushall()
    database = sqlite3.connect(with_redis.folder / "db.sqlite3", timeout=20)
    with database:
        database.execute("update signing_operation set created_at = datetime('now', '-2 minutes')")
    database.close()
    start_workers(with_redis)
    with_redis.start("scheduler", "scheduler", "run_schedule")
    assert with_redis.wait_done(operation)["error"] == ""
    wait_until(lambda: with_redis.engine_rows() > 0, PATIENCE, "a look at the Engine")


def test_after_every_worker_was_killed_new_ones_go_on(with_redis: Installation) -> None:
    start_workers(with_redis)
    operation = ask_for_key(with_redis)
    assert with_redis.wait_done(operation)["state"] == "done"
    for process in with_redis.processes:
        os.kill(process.pid, signal.SIGKILL)
    with_redis.stop()
    later = ask_for_key(with_redis)
    assert with_redis.row(later)["state"] == "queued"
    start_workers(with_redis)
    assert with_redis.wait_done(later)["state"] == "done"


def test_without_redis_the_table_is_the_queue(without_redis: Installation) -> None:
    operation = ask_for_key(without_redis)
    for name in ("signing", "docker"):
        without_redis.start(f"{name}-worker", f"{name}_worker", "poll_worker", name)
    row = without_redis.wait_done(operation)
    assert (row["state"], row["error"]) == ("done", "")
    assert json.loads(row["result"])["key_id"]
    wait_until(lambda: without_redis.engine_rows() > 0, PATIENCE, "a look at the Engine")


def test_two_polling_workers_of_one_queue_do_each_piece_once(without_redis: Installation) -> None:
    operations = [ask_for_key(without_redis) for _ in range(3)]
    for number in range(2):
        without_redis.start(f"signing-{number}", "signing_worker", "poll_worker", "signing")
    for operation in operations:
        assert without_redis.wait_done(operation)["error"] == ""
    database = sqlite3.connect(without_redis.folder / "db.sqlite3", timeout=20)
    (keys,) = database.execute("select count(*) from signing_key").fetchone()
    database.close()
    assert keys == 3
