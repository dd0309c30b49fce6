"""The versions of metadata that are kept."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import KeptVersion, Repository


def kept_versions(repository: Repository, role: str) -> QuerySet[KeptVersion]:
    """List the kept versions of one role's file, newest first; a replaced root may have left two of one number."""
    return repository.versions.filter(role=role).order_by("-version", "-seen_at", "-pk")


def kept_roles(repository: Repository) -> list[str]:
    """Name the roles of which versions are kept, in the order people know them."""
    found = set(repository.versions.order_by().values_list("role", flat=True).distinct())
    base = [role for role in ("root", "targets", "snapshot", "timestamp") if role in found]
    return [*base, *sorted(found - set(base))]
