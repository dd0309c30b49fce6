"""Read the stored metadata: one query each, and what is remembered serves as long as the database agrees."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from signing.server import forms
from signing.server.current_files import StoredFile, memory
from signing.server.models import Collection, MetadataFile
from signing.trust.notary.known_files import KnownFile


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
    return Collection.objects.filter(gun=gun).values_list("state", flat=True).first()


def current(gun: str, role: str) -> StoredFile | None:
    """Give a role's newest file."""
    remembered = memory.get(gun)
    if remembered is not None and role in remembered.files and remembered.state == state_of(gun):
        return remembered.files[role]
    return load(gun, role)[1]


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
    state = Subquery(Collection.objects.filter(gun=OuterRef("gun")).values("state"))
    found = _rows(gun, role).order_by("-version").annotate(state=state).values_list("state", *_Row._fields).first()
    if found is None or found[0] is None:
        return None, None
    file = _file(_Row(*found[1:]))
    memory.add(gun, found[0], file)
    return found[0], file


def _rows(gun: str, role: str) -> QuerySet[MetadataFile]:
    of_role = MetadataFile.objects.filter(gun=gun, role=role)
    base = MetadataFile.objects.filter(gun=gun, role=role, version=OuterRef("base_version"))
    columns: dict[str, Any] = {f"base_{name}": Subquery(base.values(name)) for name in ("form", "data", "sha256")}
    return of_role.annotate(**columns)


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
