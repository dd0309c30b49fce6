"""What runs when. A few ticks only: each picks what is due from the database.

Ticks are named by text as all jobs are, so that the scheduler imports nothing that opens a key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import django_rq
from redis import Redis
from rq.cron import CronJob, CronScheduler
from rq.job import Job

from signing import health, queue


@dataclass(frozen=True, slots=True)
class Tick:
    """A job without an argument, its queue and how often it runs."""

    name: str
    queue: str
    seconds: int


TICKS = (
    Tick("sweep", queue.SIGNING, 10),
    Tick("sign_audit_head", queue.SIGNING, 60),
    Tick("refresh_due", queue.SIGNING, 15),
    Tick("tell_history", queue.SIGNING, 15),
    Tick("check_registries", queue.DOCKER, 15),
    Tick("engine_status", queue.DOCKER, 30),
    Tick("end_signers", queue.SIGNING, 300),
    Tick("announce_expiring", queue.SIGNING, 3600),
    Tick("report_signing", queue.SIGNING, health.every()),
    Tick("report_docker", queue.DOCKER, health.every()),
    Tick("report_notices", queue.NOTICES, health.every()),
    Tick("send_notices", queue.NOTICES, 3),
    Tick("send_digests", queue.NOTICES, 600),
)


def ticks_of(queue_name: str) -> list[Tick]:
    """List the ticks of one queue."""
    return [tick for tick in TICKS if tick.queue == queue_name]


class _NamedJob(CronJob):
    """A cron job that is enqueued by name and as JSON.

    RQ's own would import the function here and write it as a pickle, which a worker that reads JSON refuses.
    """

    def __init__(self, tick: Tick) -> None:
        super().__init__(tick.queue, func_name=f"signing.jobs.{tick.name}", interval=tick.seconds, name=tick.name)
        self._tick = tick

    def enqueue(self, connection: Redis) -> Job:
        """Enqueue the tick, unless the one before still waits: a busy worker is not given a backlog."""
        waiting = django_rq.get_queue(self.queue_name)
        for job_id in waiting.get_job_ids():
            if job_id.startswith(f"tick-{self._tick.name}-") and (job := waiting.fetch_job(job_id)):
                return job
        return queue.enqueue_tick(self._tick.name, self.queue_name)


class Scheduler(CronScheduler):
    """RQ's scheduler, which tells each time it went around, and remembers that a signal ended it."""

    def __init__(self, turned: Callable[[], None], stopped: threading.Event) -> None:
        super().__init__(connection=django_rq.get_connection(queue.SIGNING))
        self._turned, self._stopped = turned, stopped
        self.get_jobs().extend(_NamedJob(tick) for tick in TICKS)

    def heartbeat(self) -> None:
        """Tell Redis, and who watches here."""
        super().heartbeat()
        self._turned()

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopped.set()
        super()._request_stop(signum, frame)  # type: ignore[no-untyped-call]  # the package has no type for it
