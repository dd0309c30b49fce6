"""The stored versions of a repository's metadata files: the ones that are trusted now, and those that were kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from signing.models import KeptVersion, Repository
from signing.selectors.versions import kept_roles, kept_versions
from signing.trust.errors import MetadataError
from signing.trust.tuf import canonical, roles


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one role's file, without its bytes. `is_trusted` is the one that counts now."""

    role: str
    version: int
    sha256: str
    seen_at: datetime
    published_at: datetime | None = None
    is_trusted: bool = False


def stored_roles(repository: Repository) -> list[str]:
    """List the roles of which any version is stored, the base roles first."""
    kept = kept_roles(repository)
    trusted = sorted(repository.metadata.exclude(role__in=kept).values_list("role", flat=True))
    found = kept + trusted
    return [name for name in roles.BASE_ROLES if name in found] + [
        name for name in found if name not in roles.BASE_ROLES
    ]


def stored_versions(repository: Repository, role: str) -> list[StoredVersion]:
    """List the versions of one role, the newest first; the trusted one stands before another with its number."""
    trusted = _trusted(repository, role)
    kept = [_of_row(row, trusted) for row in kept_versions(repository, role).defer("data")]
    if trusted is not None and not any(row.is_trusted for row in kept):
        kept.append(trusted)
    return sorted(kept, key=lambda row: (row.version, row.is_trusted, row.seen_at), reverse=True)


def find_version(versions: Sequence[StoredVersion], version: int | None, sha256: str = "") -> StoredVersion | None:
    """Choose one of a role's versions: the newest where no number is given."""
    if version is None:
        return next(iter(versions), None)
    return next((row for row in versions if row.version == version and row.sha256.startswith(sha256)), None)


def bytes_of(repository: Repository, version: StoredVersion) -> bytes:
    """Read the very bytes of a stored version."""
    row = repository.versions.filter(role=version.role, version=version.version, sha256=version.sha256).first()
    if row is not None:
        return bytes(row.data)
    return bytes(repository.metadata.get(role=version.role).data)


def _of_row(row: KeptVersion, trusted: StoredVersion | None) -> StoredVersion:
    is_trusted = trusted is not None and trusted.sha256 == row.sha256
    return StoredVersion(row.role, row.version, row.sha256, row.seen_at, row.published_at, is_trusted)


def _trusted(repository: Repository, role: str) -> StoredVersion | None:
    row = repository.metadata.filter(role=role).first()
    if row is None:
        return None
    data = bytes(row.data)
    return StoredVersion(role, _version_in(data), hashlib.sha256(data).hexdigest(), row.stored_at, None, True)


def _version_in(data: bytes) -> int:
    """Read the number a file has; 0 where it cannot be read, which a trusted file never is."""
    try:
        found = canonical.parse(data)["signed"]["version"]
    except (MetadataError, KeyError, TypeError):
        return 0
    return found if isinstance(found, int) else 0
