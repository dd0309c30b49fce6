"""Eight processes that publish one version of one role at the same moment; prints how each ended, as JSON.

It runs as a program of its own, with DATABASE_URL naming the database: threads of one test would share a connection.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from multiprocessing.synchronize import Barrier

import django

django.setup()

from django.core.management import call_command  # noqa: E402  needs the settings
from django.db import connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from signing.server import storage  # noqa: E402
from signing.server.models import MetadataFile  # noqa: E402
from signing.server.online_keys import OnlineKeys  # noqa: E402
from signing.trust.errors import TrustError  # noqa: E402
from tests.unit.trust.notary.publisher import GUN, Publisher, tag  # noqa: E402

PUBLISHERS = 8
ROUNDS = 3
forked = multiprocessing.get_context("fork")


def publish(barrier: Barrier, update: dict[str, bytes], outcomes: multiprocessing.SimpleQueue[str]) -> None:
    barrier.wait(30)
    try:
        storage.publish(GUN, update)
    except TrustError as error:
        outcomes.put(error.code)
    except Exception as error:  # whatever it is has to be told, or the race never ends
        outcomes.put(repr(error))
    else:
        outcomes.put("published")


def race(owner: Publisher, version: int) -> list[str]:
    barrier, outcomes = forked.Barrier(PUBLISHERS), forked.SimpleQueue()
    updates = [{"targets/alice": owner.tags(version=version, targets=tag(f"t{n}"))} for n in range(PUBLISHERS)]
    connections.close_all()  # a connection does not survive a fork
    processes = [forked.Process(target=publish, args=(barrier, update, outcomes)) for update in updates]
    for process in processes:
        process.start()
    ended = sorted(outcomes.get() for _ in processes)
    for process in processes:
        process.join(30)
    return ended


def main() -> None:
    call_command("migrate", verbosity=0)
    now = timezone.now()
    snapshot, timestamp = (OnlineKeys(GUN).waiting(role, now) for role in ("snapshot", "timestamp"))
    owner = Publisher(GUN, now, snapshot, timestamp)
    storage.publish(GUN, owner.first())
    ended = [race(owner, version) for version in range(1, ROUNDS + 1)]
    stored = sorted(MetadataFile.objects.values_list("role", "version"))
    json.dump({"ended": ended, "stored": stored}, sys.stdout)


if __name__ == "__main__":
    main()
