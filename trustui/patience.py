"""A database connection that gives up on a server which does not answer, so that a page does not wait with it.

Only the web server sets a limit (`trustui.wsgi`): migrations, backups and other commands take as long as they take.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

Value = TypeVar("Value")
INTERVAL = 0.1  # seconds; psycopg's own


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's, with a limit for each statement."""

    patience: ClassVar[float | None] = None

    def wait(self, gen: PQGen[Value], interval: float = INTERVAL, timeout: float | None = None) -> Value:
        """Wait for the server's answer; a connection that still owes one is closed, as the next would wait for it too.

        Raises:
            OperationalError: there was none in time.
        """
        try:
            return super().wait(gen, interval, timeout or self.patience)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise
