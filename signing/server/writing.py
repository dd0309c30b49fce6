"""The statements of a publish. Written out because building them anew each time took as long as running them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

from signing.server.models import Change, Collection, MetadataFile

ROWS_AT_ONCE = 500
"""SQLite takes some 32,000 values in one statement."""


def move_on(
    gun: str,
    before: int | None,
    after: int,
    renew_at: datetime | None,
    rows: Sequence[MetadataFile],
    change: Mapping[str, Any],
) -> bool:
    """Bring a GUN from one state to the next, with new rows and one in the changefeed.

    False says that it was in another state: the transaction has to be given up, as the rows were added all the same.
    From here to its end others who write to this GUN wait.
    """
    with connection.cursor() as mover, connection.cursor() as adder:
        with _sent_together():
            if before is None:
                mover.execute(_insert(Collection, 1), _adapted(Collection, gun=gun, state=after, renew_at=renew_at))
            else:
                mover.execute(_MOVE, [*_adapted(Collection, state=after, renew_at=renew_at), gun, before])
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                values = [value for row in some for value in _adapted(MetadataFile, **row.__dict__)]
                adder.execute(_insert(MetadataFile, len(some)), values)
            adder.execute(_insert(Change, 1), _adapted(Change, **change))
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


def _insert(model: type[models.Model], count: int) -> str:
    columns = _columns(model)
    row = "(" + ", ".join(["%s"] * len(columns)) + ")"
    names = ", ".join(field.column for field in columns)
    return f"INSERT INTO {model._meta.db_table} ({names}) VALUES " + ", ".join([row] * count)  # noqa: S608


_MOVE = f"UPDATE {Collection._meta.db_table} SET state = %s, renew_at = %s WHERE gun = %s AND state = %s"  # noqa: S608
