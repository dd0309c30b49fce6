"""Read the stored metadata: one query each, and what is remembered serves as long as the database agrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import OuterRef, Q, QuerySet, Subquery

from signing.server import forms
from signing.server.current_files import CurrentSet, StoredFile, memory
from signing.server.models import Collection, MetadataFile
from signing.trust.notary.known_files import KnownFile
from signing.trust.tuf import roles

MOST_COMPARED = 40
"""Repositories with more roles are read anew, role by role as they are asked for."""

_STATE = f"SELECT state FROM {Collection._meta.db_table} WHERE gun = %s"  # noqa: S608
_STATE_OF_ROW = Subquery(Collection.objects.filter(gun=OuterRef("gun")).values("state"))


class _Row(NamedTuple):
    """What a file takes to be read; the last three are of the version it stands on."""

    role: str
    version: int
    sha256: str
    data: bytes
    created_at: datetime
    renew_at: datetime | None
    form: int
    base_version: int | None
    base_form: int | None
    base_data: bytes | None
    base_sha256: str | None


def state_of(gun: str) -> int | None:
    """Name the state that a GUN is in now; None where it has no metadata."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, [gun])
        found = cursor.fetchone()
    return int(found[0]) if found else None


def current(gun: str, role: str) -> StoredFile | None:
    """Give a role's newest file."""
    if memory.get(gun) is not None:
        newest = newest_set(gun)
        if newest is None:
            return None
        if role in newest.files:
            return newest.files[role]
    return load(gun, role)[1]


def newest_set(gun: str) -> CurrentSet | None:
    """Give what is remembered of a GUN, brought up to date; None where it has no metadata.

    What others published since is read with one query: most files are still the ones remembered.
    """
    state, remembered = state_of(gun), memory.get(gun)
    if state is None:
        return None
    if remembered is not None and remembered.state == state:
        return remembered
    newest = _brought_up_to_date(gun, remembered) if remembered is not None else None
    if newest is None:
        return CurrentSet(state, {})
    memory.put(gun, newest)
    return newest


def _brought_up_to_date(gun: str, remembered: CurrentSet) -> CurrentSet | None:
    """Add what is newer, or give None where what is remembered is no part of what is stored.

    Each state has a timestamp of its own. If the remembered one is still stored, only newer versions came since; after
    a deletion, or when a backup was restored, it is not.
    """
    anchor = remembered.files.get(roles.TIMESTAMP)
    if anchor is None or len(remembered.files) > MOST_COMPARED:
        return None
    newer = Q(role=anchor.role, version=anchor.version)
    for role, file in remembered.files.items():
        newer |= Q(role=role, version__gt=file.version)
    rows = _with_base(MetadataFile.objects.filter(newer, gun=gun)).annotate(state=_STATE_OF_ROW).order_by("version")
    found = [(row[0], _Row(*row[1:])) for row in rows.values_list("state", *_Row._fields)]
    if not any(row.role == anchor.role and row.sha256 == anchor.sha256 for _, row in found):
        return None
    newest = {row.role: row for _, row in found if row.sha256 != anchor.sha256}
    # One statement gave rows and state, so they belong together.
    return CurrentSet(found[0][0], {**remembered.files, **{role: _file(row) for role, row in newest.items()}})


def by_version(gun: str, role: str, version: int) -> StoredFile | None:
    """Give one version of a role's file."""
    return _first(_rows(gun, role).filter(version=version))


def by_hash(gun: str, role: str, sha256: str) -> StoredFile | None:
    """Give the file of a role that has this hash, in lower-case hex."""
    return _first(_rows(gun, role).filter(sha256=sha256))


def load(gun: str, role: str) -> tuple[int | None, StoredFile | None]:
    """Read a role's newest file and the state of the GUN it is the newest in, and remember both.

    One statement gives the two, so they belong together. Without a file there is no state to tell.
    """
    rows = _rows(gun, role).order_by("-version").annotate(state=_STATE_OF_ROW)
    found = rows.values_list("state", *_Row._fields).first()
    if found is None or found[0] is None:
        return None, None
    file = _file(_Row(*found[1:]))
    memory.add(gun, found[0], file)
    return found[0], file


def _rows(gun: str, role: str) -> QuerySet[MetadataFile]:
    return _with_base(MetadataFile.objects.filter(gun=gun, role=role))


def _with_base(rows: QuerySet[MetadataFile]) -> QuerySet[MetadataFile]:
    base = MetadataFile.objects.filter(gun=OuterRef("gun"), role=OuterRef("role"), version=OuterRef("base_version"))
    columns: dict[str, Any] = {f"base_{name}": Subquery(base.values(name)) for name in ("form", "data", "sha256")}
    return rows.annotate(**columns)


def _first(rows: QuerySet[MetadataFile]) -> StoredFile | None:
    found = rows.values_list(*_Row._fields).first()
    return _file(_Row(*found)) if found else None


def _file(row: _Row) -> StoredFile:
    base = None
    if row.base_version is not None and row.base_data is not None:
        packed = bytes(row.base_data)
        base = forms.Base(
            row.base_version, forms.read(row.base_form or 0, packed, None, row.base_sha256 or ""), len(packed)
        )
    written = bytes(row.data)
    data = forms.read(row.form, written, base.data if base else None, row.sha256)
    return StoredFile(
        row.role,
        row.version,
        row.sha256,
        data,
        row.created_at,
        row.renew_at,
        base or forms.Base(row.version, data, len(written)),
        KnownFile(data),
    )
