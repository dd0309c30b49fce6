"""The scheduler's own report: that it runs, how Redis is, and what waits in the queues.

It is made in a thread of its own, because the scheduler itself waits where Redis does not answer, and that is what has
to be told then.
"""

from __future__ import annotations

import socket
import threading
import time

import structlog
from django.db import DatabaseError, close_old_connections

from signing import health
from signing.health import BROKEN, Kind, Seen
from signing.waiting_work import look_at_queues

STUCK_AFTER = 150.0  # seconds; the scheduler turns at least once a minute

_log = structlog.get_logger(__name__)


class SchedulerReport:
    """The thread; `turned` is called by the scheduler each time it went around."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._turned_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="scheduler-report", daemon=True)

    def start(self) -> SchedulerReport:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End before the next report."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def turned(self) -> None:
        """Note that the scheduler goes on."""
        self._turned_at = time.monotonic()

    def _run(self) -> None:
        while True:
            report_once(time.monotonic() - self._turned_at)
            if self._stopped.wait(health.every()):
                return


def report_once(idle_seconds: float) -> None:
    """Look and write. A database that does not answer is for the next time."""
    close_old_connections()
    try:
        queues = look_at_queues()
        health.report(health.SCHEDULER, [_itself(idle_seconds, queues[0]), *queues])
    except DatabaseError as error:
        _log.warning("health.not_written", reason=type(error).__name__)
    finally:
        close_old_connections()


def _itself(idle_seconds: float, broker: Seen) -> Seen:
    title = health.title_of(health.SCHEDULER)
    facts = {"machine": socket.gethostname()}
    if idle_seconds > STUCK_AFTER and broker.state != BROKEN:
        sentence = f"It has not handed out anything for {int(idle_seconds // 60)} minutes."
        return Seen(Kind.SCHEDULER, "", title, BROKEN, sentence, "Restart it: manage.py run_schedule.", facts)
    return Seen(Kind.SCHEDULER, "", title, sentence="It works.", facts=facts)
