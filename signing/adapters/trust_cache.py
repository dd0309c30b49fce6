"""The trusted files of one repository as rows: what protects it from a replaced root and from older data."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from signing.models import Repository, TrustedMetadata


class StoredTrustCache:
    """A `TrustCache` over `TrustedMetadata`; every store is committed by itself or with the caller's transaction."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def load(self, role: str) -> bytes | None:
        """Return the file last trusted for a role."""
        data = self._repository.metadata.filter(role=role).values_list("data", flat=True).first()
        return None if data is None else bytes(data)

    def store(self, role: str, data: bytes) -> None:
        """Keep a file that verified."""
        TrustedMetadata.objects.update_or_create(repository=self._repository, role=role, defaults={"data": data})

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Keep files that verified, all or none."""
        with transaction.atomic():
            for role, data in files.items():
                self.store(role, data)

    def clear(self) -> None:
        """Forget everything, the pinned root included."""
        self._repository.metadata.all().delete()
