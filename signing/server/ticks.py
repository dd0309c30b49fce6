"""What the trust server does by the clock, in a thread beside its requests.

Every process has one. None is in charge: what two of them do at the same time is safe and done once.
"""

from __future__ import annotations

import logging
import random
import threading

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from signing.server.renewal import renew_due
from signing.server.retention import prune

DEFAULT_SECONDS = 300.0
TICKS_BETWEEN_PRUNINGS = 12

log = logging.getLogger(__name__)


class Ticks:
    """The thread; it ends with the process."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trust-server-ticks", daemon=True)

    def start(self) -> Ticks:
        """Begin, at a random moment of the first period so that processes do not work at the same time."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End before the next tick."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        period = float(getattr(settings, "TRUST_SERVER_TICK_SECONDS", DEFAULT_SECONDS))
        wait = random.uniform(0, period)  # noqa: S311  no secret
        count = 0
        while not self._stopped.wait(wait):
            tick(is_pruning=count % TICKS_BETWEEN_PRUNINGS == 0)
            wait, count = period, count + 1


def tick(*, is_pruning: bool) -> None:
    """Do once what is due. A database that does not answer is for the next tick."""
    close_old_connections()
    try:
        renewed, pruned = renew_due(), prune() if is_pruning else 0
        if renewed or pruned:
            log.info("renewed %d repositories, let go of %d superseded versions", renewed, pruned)
    except DatabaseError:
        log.exception("the tick did not come to its end")
    finally:
        close_old_connections()
