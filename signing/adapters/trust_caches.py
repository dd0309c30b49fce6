"""The trusted files of many repositories at once: read with one statement, written with one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet
from django.utils import timezone

from signing.models import TrustedMetadata
from signing.trust.tuf import roles


class CacheOfOne:
    """A `TrustCache` of one repository that keeps what verified until all of them are written."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.seen = dict(files)
        self.fresh: dict[str, bytes] = {}

    def load(self, role: str) -> bytes | None:
        """Return the file last trusted for a role."""
        return self.fresh.get(role, self.seen.get(role))

    def store(self, role: str, data: bytes) -> None:
        """Keep a file that verified."""
        self.fresh[role] = data

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Keep files that verified."""
        self.fresh.update(files)

    def clear(self) -> None:
        """Forget everything. Raises: NotImplementedError; no check does that."""
        raise NotImplementedError


def caches_of(repositories: Iterable[int]) -> dict[int, CacheOfOne]:
    """Read what was trusted of these repositories."""
    pks = list(repositories)
    files: dict[int, dict[str, bytes]] = {pk: {} for pk in pks}
    for pk, role, data in _rows(pks).values_list("repository", "role", "data"):
        files[pk][role] = bytes(data)
    return {pk: CacheOfOne(found) for pk, found in files.items()}


def timestamps_of(repositories: Iterable[int]) -> dict[int, bytes]:
    """Read the timestamps last trusted of these repositories."""
    rows = _rows(list(repositories)).filter(role=roles.TIMESTAMP).values_list("repository", "data")
    return {pk: bytes(data) for pk, data in rows}


def write_all(caches: Mapping[int, CacheOfOne]) -> set[int]:
    """Write what is new, and give the repositories it was written of. Call it in a transaction.

    One whose timestamp is another than was read is left out: somebody published in between and knows better.
    """
    now = timezone.now()
    current = timestamps_of(caches)
    kept = {pk: cache for pk, cache in caches.items() if current.get(pk) == cache.seen.get(roles.TIMESTAMP)}
    fresh = [
        TrustedMetadata(repository_id=pk, role=role, data=data, stored_at=now)
        for pk, cache in kept.items()
        for role, data in cache.fresh.items()
        if cache.seen.get(role) != data
    ]
    TrustedMetadata.objects.bulk_create(
        fresh,
        batch_size=200,
        update_conflicts=True,
        unique_fields=["repository", "role"],
        update_fields=["data", "stored_at"],
    )
    return set(kept)


def _rows(pks: list[int]) -> QuerySet[TrustedMetadata]:
    return TrustedMetadata.objects.filter(repository__in=pks)
