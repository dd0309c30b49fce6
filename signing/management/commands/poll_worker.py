"""Work one queue straight from the operations table, for machines without Redis."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module
from time import monotonic
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from django.db.models import F, Q
from django.utils import timezone

from signing import queue, schedule
from signing.models import Operation

IDLE_SECONDS = 0.5

_log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Claim and do the queued steps of one queue, one after the other, and run its ticks."""

    help = "Do the queued work of one queue without Redis: signing (keys), docker (Engine) or notices (mail, webhooks)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for the queue."""
        parser.add_argument("queue", choices=(queue.SIGNING, queue.DOCKER, queue.NOTICES))
        parser.add_argument("--burst", action="store_true", help="end when nothing is left to do")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until a signal ends it; a step that runs is finished first."""
        stop = threading.Event()
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        PollWorker(options["queue"]).run(stop, is_burst=options["burst"])


class PollWorker:
    """The loop; `jobs` is imported here, at the latest moment, as RQ would."""

    def __init__(self, queue_name: str) -> None:
        self._queue = queue_name
        self._steps = [name for name in queue.jobs_of(queue_name) if name != queue.CLEAN_STAGING]
        self._due = dict.fromkeys(schedule.ticks_of(queue_name), 0.0)
        self._jobs: Any = import_module("signing.jobs")

    def run(self, stop: threading.Event, *, is_burst: bool = False) -> None:
        """Do what waits, then look again every half second."""
        while not stop.is_set():
            close_old_connections()
            self._tick()
            if not self._work():
                if is_burst:
                    return
                stop.wait(IDLE_SECONDS)

    def _work(self) -> bool:
        """Do one piece of work; False where nothing waits."""
        if self._queue == queue.DOCKER and (left := self._left_staging()):
            self._do(queue.CLEAN_STAGING, left)
            return True
        waiting = self._next()
        if waiting is None:
            return False
        self._do(waiting.step, waiting.pk)
        return True

    def _next(self) -> Operation | None:
        now = timezone.now()
        is_free = Q(repository=None) | Q(repository__lease=None) | Q(repository__lease=F("pk"))
        needs_lease = Q(kind=Operation.Kind.PUBLISH, step__in=queue.LEASED_STEPS)
        return (
            Operation.objects.filter(Q(run_after=None) | Q(run_after__lte=now), ~needs_lease | is_free)
            .filter(state=Operation.State.QUEUED, step__in=self._steps)
            .order_by("created_at", "pk")
            .first()
        )

    def _left_staging(self) -> int | None:
        left = Operation.objects.filter(state__in=Operation.FINISHED, result__staging="left")
        return left.values_list("pk", flat=True).first()

    def _tick(self) -> None:
        for tick, due in self._due.items():
            if monotonic() >= due:
                self._due[tick] = monotonic() + tick.seconds
                self._do(tick.name)

    def _do(self, name: str, *arguments: int) -> None:
        """Call one job; what it raises is about that job only."""
        job: Callable[..., None] = getattr(self._jobs, name)
        try:
            job(*arguments)
        except Exception:
            _log.exception("job.broke", job=name, arguments=arguments)
