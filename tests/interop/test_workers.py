"""The two workers and the scheduler as processes of their own, with Redis and without."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.parts.waiting import wait_until
from trustui.embedded import secrets
from trustui.embedded.processes import Process

PROJECT = Path(__file__).resolve().parents[2]
PASSPHRASE = "CANARY-correct-horse"
PATIENCE = 30

ASK = f"""
from signing.models import Account, TrustServer, User
from signing.services.keys import generate_key
admin = User.objects.filter(username="root").first() or User.objects.create_superuser("root")
server, _ = TrustServer.objects.get_or_create(name="none", url="https://127.0.0.1:1")
account, _ = Account.objects.get_or_create(name="team", registry="r.test", namespace="team", trust_server=server)
number = account.operations.count()
print(generate_key(actor=admin, account=account, purpose="signer", name=f"bob{{number}}", passphrase="{PASSPHRASE}").pk)
"""


@dataclass
class Installation:
    """A database, secrets and the processes that a test starts; each process gets only its own secrets."""

    folder: Path
    redis_url: str
    processes: list[Process] = field(default_factory=list)

    def env(self, part: str) -> dict[str, str]:
        held = {
            "web": ("SECRET_KEY", "SEALING_PUBLIC_KEYS"),
            "signing_worker": ("SEALING_PUBLIC_KEYS", "SIGNING_WORKER_KEY", "MASTER_KEY", "AUDIT_KEY"),
            "docker_worker": ("SEALING_PUBLIC_KEYS", "DOCKER_WORKER_KEY"),
        }.get(part, ())
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": f"trustui.settings.{part}",
            "TRUSTUI_VAR": str(self.folder),
            "DATABASE_URL": f"sqlite:///{self.folder}/db.sqlite3",
            "REDIS_URL": self.redis_url,
            "DOCKER_HOST": f"unix://{self.folder}/no-engine.sock",
        } | {f"{name}_FILE": str(self.folder / "secrets" / name.lower()) for name in held}

    def manage(self, part: str, *arguments: str) -> str:
        argv = [sys.executable, "-m", "django", *arguments]
        done = subprocess.run(argv, env=self.env(part), cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, name: str, part: str, *arguments: str) -> Process:
        argv = [sys.executable, "-m", "django", *arguments]
        log = self.folder / f"{name}.log"
        process = Process(name, argv, env=self.env(part), log=log, cwd=PROJECT).start()
        self.processes.append(process)
        return process

    def ask_for_key(self) -> int:
        return int(self.manage("web", "shell", "--verbosity=0", "-c", ASK).strip().splitlines()[-1])

    def row(self, operation: int) -> dict[str, Any]:
        with sqlite3.connect(self.folder / "db.sqlite3", timeout=20) as database:
            database.row_factory = sqlite3.Row
            found = dict(database.execute("select * from signing_operation where id = ?", (operation,)).fetchone())
        database.close()
        return found

    def engine_rows(self) -> int:
        database = sqlite3.connect(self.folder / "db.sqlite3", timeout=20)
        (number,) = database.execute("select count(*) from signing_enginestatus").fetchone()
        database.close()
        return int(number)

    def wait_done(self, operation: int) -> dict[str, Any]:
        wait_until(lambda: self.row(operation)["state"] in ("done", "failed"), PATIENCE, f"operation {operation}")
        return self.row(operation)

    def stop(self) -> None:
        while self.processes:
            self.processes.pop().stop()


def installed(folder: Path, redis_url: str) -> Installation:
    secrets.ensure(folder)
    made = Installation(folder, redis_url)
    made.manage("web", "migrate", "--verbosity=0")
    return made


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


def start_workers(made: Installation) -> None:
    for name in ("signing", "docker"):
        made.start(f"{name}-worker", f"{name}_worker", "rqworker", "--serializer=rq.serializers.JSONSerializer", name)


def test_what_a_page_asks_for_the_worker_does_and_redis_saw_an_id_only(with_redis: Installation) -> None:
    operation = with_redis.ask_for_key()
    broker = redis.Redis.from_url(with_redis.redis_url)
    seen = "".join(repr(broker.dump(key)) for key in broker.scan_iter())
    assert f"operation-{operation}-generate_key" in seen
    assert "CANARY" not in seen
    start_workers(with_redis)
    assert with_redis.wait_done(operation)["error"] == ""
    assert "CANARY" not in "".join(log.read_text() for log in with_redis.folder.glob("*.log"))
    assert not any(b"CANARY" in file.read_bytes() for file in with_redis.folder.glob("db.sqlite3*"))


def test_the_scheduler_hands_over_what_the_queue_lost(with_redis: Installation) -> None:
    operation = with_redis.ask_for_key()
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
    operation = with_redis.ask_for_key()
    assert with_redis.wait_done(operation)["state"] == "done"
    for process in with_redis.processes:
        os.kill(process.pid, signal.SIGKILL)
    with_redis.stop()
    later = with_redis.ask_for_key()
    assert with_redis.row(later)["state"] == "queued"
    start_workers(with_redis)
    assert with_redis.wait_done(later)["state"] == "done"


def test_without_redis_the_table_is_the_queue(without_redis: Installation) -> None:
    operation = without_redis.ask_for_key()
    for name in ("signing", "docker"):
        without_redis.start(f"{name}-worker", f"{name}_worker", "poll_worker", name)
    row = without_redis.wait_done(operation)
    assert (row["state"], row["error"]) == ("done", "")
    assert json.loads(row["result"])["key_id"]
    wait_until(lambda: without_redis.engine_rows() > 0, PATIENCE, "a look at the Engine")


def test_two_polling_workers_of_one_queue_do_each_piece_once(without_redis: Installation) -> None:
    operations = [without_redis.ask_for_key() for _ in range(3)]
    for number in range(2):
        without_redis.start(f"signing-{number}", "signing_worker", "poll_worker", "signing")
    for operation in operations:
        assert without_redis.wait_done(operation)["error"] == ""
    database = sqlite3.connect(without_redis.folder / "db.sqlite3", timeout=20)
    (keys,) = database.execute("select count(*) from signing_key").fetchone()
    database.close()
    assert keys == 3
