"""Run the ticks of `signing.schedule` through the queues."""

from __future__ import annotations

import threading
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis.exceptions import RedisError
from rq.exceptions import StopRequested

from signing import schedule
from signing.scheduler_health import SchedulerReport

AGAIN_AFTER = 2.0  # seconds

_log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Start the scheduler; one per installation."""

    help = "Enqueue what runs by the clock. Run exactly one; without Redis the polling workers do it themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal ends it; while Redis is away, look for it again and report that."""
        if settings.TRUSTUI_QUEUE != "rq":
            raise CommandError("There is no Redis (REDIS_URL), so the polling workers keep the time themselves.")
        report = SchedulerReport().start()
        try:
            self._run(report)
        finally:
            report.stop()

    def _run(self, report: SchedulerReport) -> None:
        stopped = threading.Event()
        while not stopped.is_set():
            running = schedule.Scheduler(report.turned, stopped)
            try:
                running.start()  # type: ignore[no-untyped-call]  # the package has no type for it
                return
            except RedisError as error:
                _log.warning("scheduler.no_redis", reason=type(error).__name__)
            try:
                stopped.wait(AGAIN_AFTER)
            except StopRequested:
                return
