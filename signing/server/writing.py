"""The statements of a publish. Written out because building them anew each time took as long as running them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from django.db import connection, models

from signing.server.models import Change, Collection, MetadataFile

ROWS_AT_ONCE = 500
"""SQLite takes some 32,000 values in one statement."""

MOST_IN_ONE_STATEMENT = 8
"""A signature makes four rows. Each number of rows is a statement of its own, which PostgreSQL plans once."""


class Row(NamedTuple):
    """One new version, as its table's columns follow each other."""

    gun: str
    role: str
    version: int
    sha256: str
    form: int
    base_version: int | None
    data: bytes
    renew_at: datetime | None
    created_at: datetime


class ChangeRow(NamedTuple):
    """One new row of the changefeed, the same way."""

    gun: str
    version: int
    sha256: str
    category: str
    created_at: datetime


class Step(NamedTuple):
    """From one state of a GUN to the next: None is the state before the first one."""

    gun: str
    before: int | None
    after: int
    renew_at: datetime | None
    rows: Sequence[Row]
    change: ChangeRow


def is_one_statement(step: Step) -> bool:
    """Tell whether `move_on_at_once` can do it."""
    is_ordinary = step.before is not None and len(step.rows) <= MOST_IN_ONE_STATEMENT
    return is_ordinary and connection.vendor == "postgresql"


def move_on_at_once(step: Step) -> bool:
    """Do what `move_on` does with one statement, which is a transaction of its own: one way there and back.

    False says that the GUN was in another state, and then nothing was added.
    """
    values: list[object] = [step.after, step.renew_at, step.gun, step.before]
    for row in step.rows:
        values += row
    values += step.change
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(_at_once(len(step.rows)), values, prepare=True)
        return bool(cursor.rowcount)


def move_on(step: Step) -> bool:
    """Bring a GUN from one state to the next, with new rows and one in the changefeed.

    False says that it was in another state: the transaction has to be given up, as the rows were added all the same.
    From here to its end others who write to this GUN wait.
    """
    gun, before, after, renew_at, rows, change = step
    with connection.cursor() as mover, connection.cursor() as adder:
        with _sent_together():
            if before is None:
                mover.execute(_insert(Collection, 1), _adapted(Collection, gun=gun, state=after, renew_at=renew_at))
            else:
                mover.execute(_MOVE, [*_adapted(Collection, state=after, renew_at=renew_at), gun, before])
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                values = [value for row in some for value in _adapted(MetadataFile, **row._asdict())]
                adder.execute(_insert(MetadataFile, len(some)), values)
            adder.execute(_insert(Change, 1), _adapted(Change, **change._asdict()))
        return bool(mover.rowcount)


@contextlib.contextmanager
def _sent_together() -> Iterator[None]:
    """Send the statements within in one go where the database can do that; errors come at the end then."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _adapted(model: type[models.Model], **values: Any) -> list[Any]:
    """Give the values as the database takes them, in the order of the model's columns."""
    fields = (field for field in _columns(model) if field.attname in values)
    return [field.get_db_prep_save(values[field.attname], connection) for field in fields]


def _columns(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _into(model: type[models.Model]) -> tuple[str, str]:
    """Give the beginning of an INSERT, and a place for each of its columns."""
    columns = _columns(model)
    names = ", ".join(field.column for field in columns)
    return f"INSERT INTO {model._meta.db_table} ({names})", ", ".join(["%s"] * len(columns))


def _insert(model: type[models.Model], count: int) -> str:
    into, places = _into(model)
    return f"{into} VALUES " + ", ".join([f"({places})"] * count)


_MOVE = f"UPDATE {Collection._meta.db_table} SET state = %s, renew_at = %s WHERE gun = %s AND state = %s"  # noqa: S608


@lru_cache
def _at_once(count: int) -> str:
    """Write the statement that adds the rows if there was a state to move on from."""
    inserts = map(_into, (MetadataFile, Change))
    file, change = (f"{into} SELECT {places} FROM moved" for into, places in inserts)  # noqa: S608  names are ours
    added = "".join(f", added{number} AS ({file})" for number in range(count))
    return f"WITH moved AS ({_MOVE} RETURNING 1){added} {change}"
