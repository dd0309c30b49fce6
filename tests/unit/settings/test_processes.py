"""Each process's settings open what that process needs, and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trustui.embedded import environment, secrets
from trustui.embedded.place import Place

PROBE = """
import json, sys
from django.conf import settings
names = ("SEALING_PUBLIC_KEYS", "SEALING_PRIVATE_KEY", "MASTER_KEY", "AUDIT_KEY", "TRUST_SERVER_MASTER_KEY")
names += ("DOCKER_HOST",)
database = settings.DATABASES["default"]
print(json.dumps({
    "opens": [name for name in names if getattr(settings, name, None)],
    "queue": settings.TRUSTUI_QUEUE,
    "serializers": sorted({queue["SERIALIZER"] for queue in settings.RQ_QUEUES.values()}),
    "database": [database["ENGINE"], database["NAME"], database.get("OPTIONS", {})],
    "secret_key": settings.SECRET_KEY,
    "apps": settings.INSTALLED_APPS,
}, default=str))
"""
OPENS = {
    "web": {"SEALING_PUBLIC_KEYS"},
    "signing_worker": {
        "SEALING_PUBLIC_KEYS",
        "SEALING_PRIVATE_KEY",
        "MASTER_KEY",
        "AUDIT_KEY",
        "TRUST_SERVER_MASTER_KEY",
    },
    "docker_worker": {"SEALING_PUBLIC_KEYS", "SEALING_PRIVATE_KEY", "DOCKER_HOST"},
    "notices_worker": {"SEALING_PUBLIC_KEYS", "SEALING_PRIVATE_KEY"},
    "scheduler": set(),
    "notary": {"TRUST_SERVER_MASTER_KEY"},
}


@pytest.fixture
def probe(tmp_path: Path):
    """Give a function that starts a process's settings as `make run` does and returns what they hold."""
    place = Place(var=tmp_path, run=tmp_path, port=1, trust_port=2)
    folder = secrets.ensure(tmp_path)

    def look(part: str, redis_url: str = "", **environ: str) -> dict:
        env = environment.of(
            part,
            place,
            secrets=folder,
            redis_url=redis_url,
            docker_host="unix:///engine.sock",
            environ={"PATH": os.environ["PATH"], **environ},
        )
        done = subprocess.run([sys.executable, "-c", PROBE], env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return look


@pytest.mark.parametrize("part", OPENS)
def test_what_a_process_can_open(probe, tmp_path: Path, part: str) -> None:
    found = probe(part)
    assert set(found["opens"]) == OPENS[part]
    web_key = (tmp_path / "secrets" / "secret_key").read_text()
    assert (found["secret_key"] == web_key) is (part == "web")
    assert ("signing.server.apps.TrustServerConfig" in found["apps"]) is (part in ("notary", "signing_worker"))


def test_without_redis_there_are_no_queues(probe) -> None:
    found = probe("web")
    assert (found["queue"], found["serializers"]) == ("polling", [])


def test_with_redis_the_queues_carry_json(probe) -> None:
    found = probe("signing_worker", redis_url="unix:///broker.sock")
    assert (found["queue"], found["serializers"]) == ("rq", ["rq.serializers.JSONSerializer"])
    assert "django_rq" in found["apps"]


def test_sqlite_says_that_it_will_write(probe, tmp_path: Path) -> None:
    engine, name, options = probe("notary")["database"]
    assert (engine, name) == ("django.db.backends.sqlite3", str(tmp_path / "trustui.sqlite3"))
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"]


def test_postgresql_is_pooled_where_nothing_forks(probe) -> None:
    url = "postgres://u:p@127.0.0.1:5432/trustui"
    assert probe("web", DATABASE_URL=url)["database"][2]["pool"]["max_size"] == 4
    assert "pool" not in probe("signing_worker", DATABASE_URL=url)["database"][2]
