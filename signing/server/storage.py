"""Read and write the stored metadata. A reader costs one indexed query; a publish is one short transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from signing.server.models import Change, Collection, MetadataFile
from signing.server.online_keys import OnlineKeys
from signing.trust.errors import VersionConflict
from signing.trust.notary import acceptance
from signing.trust.notary.server_made import AcceptedFile
from signing.trust.tuf import roles

MOST_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it goes out."""

    data: bytes
    created_at: datetime
    renew_at: datetime | None


def current(gun: str, role: str) -> StoredFile | None:
    """Give a role's newest file."""
    return _read(gun, role)


def by_version(gun: str, role: str, version: int) -> StoredFile | None:
    """Give one version of a role's file."""
    return _read(gun, role, version=version)


def by_hash(gun: str, role: str, sha256: str) -> StoredFile | None:
    """Give the file of a role that has this hash, in lower-case hex."""
    return _read(gun, role, sha256=sha256)


def _read(gun: str, role: str, **which: object) -> StoredFile | None:
    found = MetadataFile.objects.filter(gun=gun, role=role, **which).order_by("-version")
    row = found.values_list("data", "created_at", "renew_at").first()
    return StoredFile(bytes(row[0]), row[1], row[2]) if row else None


class CurrentFiles:
    """The newest files of one GUN, for acceptance."""

    def __init__(self, gun: str) -> None:
        self._gun = gun

    def data(self, role: str) -> bytes | None:
        """Give a role's file."""
        found = current(self._gun, role)
        return found.data if found else None

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""
        found = MetadataFile.objects.filter(gun=self._gun, role=role).order_by("-version")
        return found.values_list("version", flat=True).first() or 0


def publish(gun: str, update: Mapping[str, bytes]) -> None:
    """Store an update with the snapshot and timestamp that go with it, all or nothing.

    The checks run before the transaction, so that a large upload does not hold up other writers. If somebody else
    wrote to the GUN in the meantime they run again on the newer state.

    Raises:
        TrustError: as `acceptance.accept` does, VersionConflict also when too many others were faster.
    """
    stored, keys = CurrentFiles(gun), OnlineKeys(gun)
    for _ in range(MOST_ATTEMPTS):
        now, state = timezone.now(), _State.of(gun)
        files = acceptance.accept(gun, update, stored, keys, now)
        if state.store(files, keys, now):
            return
        # Who lost a race for one version has to hear of the version, whatever else no longer fits.
        acceptance.require_newer((file for file in files if file.role in update), stored)
    raise VersionConflict("Others keep publishing in between.")


def renew(gun: str) -> None:
    """Make the next snapshot and timestamp if their time is over or near; somebody else may be faster.

    Raises:
        TrustError: as `acceptance.renew` does.
    """
    now, state, keys = timezone.now(), _State.of(gun), OnlineKeys(gun)
    files = acceptance.renew(CurrentFiles(gun), keys, now)
    if files:
        state.store(files, keys, now)


def delete(gun: str) -> None:
    """Delete all metadata of exactly this GUN; deleting what is not there changes nothing. Keys stay."""
    with transaction.atomic():
        if Collection.objects.filter(gun=gun).delete()[0]:
            MetadataFile.objects.filter(gun=gun).delete()
            Change.objects.create(gun=gun, version=0, category=Change.Category.DELETION, created_at=timezone.now())


class _LostRace(Exception):
    """Somebody else changed the GUN since it was read."""


@dataclass(frozen=True, slots=True)
class _State:
    """The state of a GUN that a decision was made on; it is stored only if that is still the state."""

    gun: str
    pk: int | None
    generation: int

    @classmethod
    def of(cls, gun: str) -> _State:
        row = Collection.objects.filter(gun=gun).values_list("pk", "generation").first()
        return cls(gun, *(row or (None, 0)))

    def store(self, files: Sequence[AcceptedFile], keys: OnlineKeys, now: datetime) -> bool:
        """Add the files, or change nothing and give False if somebody was faster."""
        try:
            with transaction.atomic():
                self._advance()
                rows = [_row(self.gun, file, now) for file in files]
                MetadataFile.objects.bulk_create(rows)
                timestamp = next(row for row in rows if row.role == roles.TIMESTAMP)
                Change.objects.create(
                    gun=self.gun,
                    version=timestamp.version,
                    sha256=timestamp.sha256,
                    category=Change.Category.UPDATE,
                    created_at=now,
                )
                keys.mark_used(now)
        except (IntegrityError, _LostRace):
            return False
        return True

    def _advance(self) -> None:
        """Take the GUN's row: from here to the commit, publishers and deletions of this GUN wait."""
        if self.pk is None:
            Collection.objects.create(gun=self.gun)
            return
        unchanged = Collection.objects.filter(pk=self.pk, generation=self.generation)
        if not unchanged.update(generation=self.generation + 1):
            raise _LostRace


def _row(gun: str, file: AcceptedFile, now: datetime) -> MetadataFile:
    return MetadataFile(
        gun=gun,
        role=file.role,
        version=file.version,
        sha256=hashlib.sha256(file.data).hexdigest(),
        data=file.data,
        renew_at=file.renew_at,
        created_at=now,
    )
