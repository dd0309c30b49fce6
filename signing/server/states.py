"""Ask the database which state GUNs are in, at the price of a fraction of a query each.

An answer from memory is right if the state it belongs to was the newest one at some moment after the question came in:
then no publish that was acknowledged before can be missed. So questions that come in while a query is on its way wait
for the next one, which asks for all of them. Under load many requests share one query.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Mapping
from typing import Any, Protocol

import psycopg
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from signing.server.models import Collection

_TABLE = Collection._meta.db_table

_SOON_BROKEN = {"connect_timeout": 4, "tcp_user_timeout": 5000}
"""All readers of a process wait for this connection: one to a host that fell silent must not be waited for."""


class StateUnknown(Exception):
    """The database does not answer."""


class States(Protocol):
    """Where to ask."""

    def of(self, gun: str) -> int | None:
        """Name the state a GUN is in; None where it has no metadata.

        Raises:
            StateUnknown: the database does not answer.
        """


def states(alias: str = "default") -> States:
    """Give what suits the database of this process."""
    return PostgresStates(alias) if connections[alias].vendor == "postgresql" else SqliteStates(alias)


class SqliteStates:
    """The states of GUNs, through each thread's own connection: a look takes SQLite some microseconds."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def of(self, gun: str) -> int | None:
        """Name the state a GUN is in."""
        wrapper: BaseDatabaseWrapper = connections[self._alias]
        try:
            wrapper.ensure_connection()
            found = wrapper.connection.execute(f"SELECT state FROM {_TABLE} WHERE gun = ?", (gun,)).fetchone()  # noqa: S608
        except (DatabaseError, sqlite3.Error) as error:
            raise StateUnknown(str(error)) from error
        return found[0] if found else None


class PostgresStates:
    """The states of GUNs, through one connection of the process, beside those of Django's pool."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._open = _Batch()
        self._joining = threading.Lock()
        self._asking = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def of(self, gun: str) -> int | None:
        """Name the state a GUN is in."""
        with self._joining:
            batch = self._open
            batch.guns.append(gun)
        with self._asking:
            if batch.states is None:
                with self._joining:
                    self._open = _Batch()
                batch.states = self._ask(sorted(set(batch.guns)))
        return batch.states.get(gun)

    @property
    def waiting(self) -> int:
        """How many questions wait for the next query."""
        return len(self._open.guns)

    def _ask(self, guns: list[str]) -> Mapping[str, int]:
        try:
            cursor = self._connected().execute(
                f"SELECT gun, state FROM {_TABLE} WHERE gun = ANY(%s)",  # noqa: S608  the table's name is ours
                (guns,),
                prepare=True,
                binary=True,
            )
            return dict(cursor.fetchall())
        except psycopg.Error as error:
            self._close()
            raise StateUnknown(str(error)) from error

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            configured = connections[self._alias].get_connection_params()
            own = {name: value for name, value in configured.items() if name not in ("cursor_factory", "context")}
            parameters = _SOON_BROKEN | own
            self._connection = psycopg.connect(**parameters, autocommit=True)
        return self._connection

    def _close(self) -> None:
        broken, self._connection = self._connection, None
        if broken is not None:
            with contextlib.suppress(psycopg.Error):
                broken.close()


class _Batch:
    """Questions that one query answers."""

    def __init__(self) -> None:
        self.guns: list[str] = []
        self.states: Mapping[str, int] | None = None
