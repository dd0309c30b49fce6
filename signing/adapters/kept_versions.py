"""Every version of a repository's files that was seen here or fetched, as rows: what its history is told from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django.db.models import Func, IntegerField

from signing.models import KeptVersion, Repository, TrustedMetadata
from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.shelf import describe
from signing.trust.tuf import roles

MOST_VERSIONS = 1000
MOST_BYTES = 128 * 1024 * 1024
"""Of one repository; what is older goes once its history is told. Roots stay, as everything rests on them."""

_HELD = 64


class _Length(Func):
    """Bytes of a column of bytes, the same on both databases."""

    function = "LENGTH"
    output_field = IntegerField()


class KeptShelf:
    """The files of one repository; what the checks trust now is put there first."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._rows = {
            StoredFile(role, version, sha256, length): pk
            for pk, role, version, sha256, length in repository.versions.annotate(length=_Length("data")).values_list(
                "pk", "role", "version", "sha256", "length"
            )
        }
        self.read = lru_cache(maxsize=_HELD)(self._read)

    def take_trusted(self) -> None:
        """Put the files there that verified last."""
        for role, data in TrustedMetadata.objects.filter(repository=self._repository).values_list("role", "data"):
            self.put(role, bytes(data))

    def files(self) -> frozenset[StoredFile]:
        """List what is kept."""
        return frozenset(self._rows)

    def put(self, role: str, data: bytes) -> StoredFile:
        """Keep one file, whatever it says."""
        file = describe(role, data)
        if file not in self._rows:
            row, _ = KeptVersion.objects.get_or_create(
                repository=self._repository,
                role=role,
                version=file.version,
                sha256=file.sha256,
                defaults={"data": data},
            )
            self._rows[file] = row.pk
        return file

    def _read(self, file: StoredFile) -> bytes:
        return bytes(KeptVersion.objects.values_list("data", flat=True).get(pk=self._rows[file]))

    def note_published(self, moments: Mapping[str, datetime]) -> None:
        """Note when the server says that it took timestamps, by their SHA-256."""
        for file, pk in self._rows.items():
            if file.role == roles.TIMESTAMP and file.sha256 in moments:
                KeptVersion.objects.filter(pk=pk, published_at=None).update(published_at=moments[file.sha256])

    def published(self) -> dict[str, tuple[datetime | None, datetime]]:
        """Tell when each timestamp was published, as far as the server says so, and when it was seen here."""
        rows = self._repository.versions.filter(role=roles.TIMESTAMP)
        return {sha256: (at, seen) for sha256, at, seen in rows.values_list("sha256", "published_at", "seen_at")}

    def prune(self) -> None:
        """Let the oldest go where there are very many."""
        by_role: dict[str, list[StoredFile]] = {}
        for file in self._rows:
            if file.role != roles.ROOT:
                by_role.setdefault(file.role, []).append(file)
        room = MOST_BYTES // max(len(by_role), 1)
        gone = [pk for files in by_role.values() for pk in self._too_many(files, room)]
        for start in range(0, len(gone), 500):
            KeptVersion.objects.filter(pk__in=gone[start : start + 500]).delete()

    def _too_many(self, files: list[StoredFile], room: int) -> list[int]:
        used, gone = 0, []
        for number, file in enumerate(sorted(files, key=lambda item: -item.version)):
            used += file.length
            if number and (number >= MOST_VERSIONS or used > room):
                gone.append(self._rows[file])
        return gone
