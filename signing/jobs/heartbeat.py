"""Show that a worker lives while its step runs, however long the step says nothing.

A thread writes the time on the operation's row; it ends with the step, and dies with the process. Without a sign of
life for `LOST_AFTER` the sweep gives the step to another worker, so a killed worker is noticed soon and a slow one is
left alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

LOST_AFTER = timedelta(seconds=30)

_log = structlog.get_logger(__name__)


@contextmanager
def beating(beat: Callable[[], bool], seconds: float | None = None) -> Iterator[None]:
    """Call `beat` every few seconds while the body runs, until it says that nobody waits for it any more.

    `seconds` is the pause; without it HEARTBEAT_SECONDS of the settings, where 0 means never. A database that does not
    answer is asked again at the next beat.
    """
    pause = settings.HEARTBEAT_SECONDS if seconds is None else seconds
    if not pause:
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_keep_on, args=(beat, stop, pause), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep_on(beat: Callable[[], bool], stop: threading.Event, pause: float) -> None:
    try:
        while not stop.wait(pause):
            try:
                if not beat():
                    return
            except DatabaseError as error:
                _log.warning("heartbeat.missed", reason=type(error).__name__)
                connection.close()  # this thread's own; the next beat opens another
    finally:
        connection.close()
