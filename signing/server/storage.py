"""Change the stored metadata. A publish is one short transaction, whatever the checks before it take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from signing.server.models import Change, Collection, MetadataFile
from signing.server.newest import LostRace, NewestFiles
from signing.server.online_keys import OnlineKeys
from signing.trust.errors import TrustError, VersionConflict
from signing.trust.notary import acceptance
from signing.trust.notary.server_made import AcceptedFile

MOST_ATTEMPTS = 10


def publish(gun: str, update: Mapping[str, bytes]) -> None:
    """Store an update with the snapshot and timestamp that go with it, all or nothing.

    The checks run before the transaction, so that a large upload does not hold up other writers. If somebody else
    wrote to the GUN in the meantime they run again on the newer state. The first time they run on what is remembered,
    which mostly is the newest state: storing finds out, and nothing is refused before the database was asked.

    Raises:
        TrustError: as `acceptance.accept` does, VersionConflict also when too many others were faster.
    """
    for attempt in range(MOST_ATTEMPTS):
        now, stored, keys = timezone.now(), NewestFiles(gun, is_asking=attempt > 0), OnlineKeys(gun)
        files: list[AcceptedFile] = []
        try:
            files = acceptance.accept(gun, update, stored, keys, now)
            stored.store(files, keys, now)
        except LostRace:
            _require_newer(gun, [file for file in files if file.role in update])
        except TrustError:
            if stored.is_asked:
                raise
        else:
            return
    raise VersionConflict("Others keep publishing in between.")


def _require_newer(gun: str, files: Sequence[AcceptedFile]) -> None:
    """Let who lost a race for one version hear of the version, whatever else no longer fits."""
    newest = MetadataFile.objects.filter(gun=gun, role__in=[file.role for file in files])
    versions = dict(newest.order_by("version").values_list("role", "version"))
    for file in files:
        if file.version <= versions.get(file.role, 0):
            raise VersionConflict("A newer version of metadata is already available.", role=file.role)


def renew(gun: str) -> bool:
    """Make the next snapshot and timestamp if their time is over or near, and tell whether that was done.

    Somebody else may be faster; then there is nothing to do.

    Raises:
        TrustError: as `acceptance.renew` does.
    """
    now, stored, keys = timezone.now(), NewestFiles(gun), OnlineKeys(gun)
    try:
        files = acceptance.renew(stored, keys, now)
        if files:
            stored.store(files, keys, now)
    except LostRace:
        return False
    return bool(files)


def delete(gun: str) -> None:
    """Delete all metadata of exactly this GUN; deleting what is not there changes nothing. Keys stay."""
    with transaction.atomic():
        if Collection.objects.filter(gun=gun).delete()[0]:
            MetadataFile.objects.filter(gun=gun).delete()
            Change.objects.create(gun=gun, version=0, category=Change.Category.DELETION, created_at=timezone.now())
