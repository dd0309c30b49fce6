"""What lies on the built-in trust server, for administrators: repositories, versions, sizes, changes, who may push."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum
from django.db.models.functions import Length

from signing.models import Account, User
from signing.permissions import require
from signing.selectors import trust_server_tables
from signing.selectors.accounts import account_of_image
from signing.selectors.registry_tokens import people_who_may_push
from signing.selectors.trust_server_tables import StoredChange, StoredRepository, StoredVersion


@dataclass(frozen=True, slots=True)
class Contents:
    """One repository on the server: how many versions it keeps and how many bytes they take."""

    gun: str
    versions: int
    stored: int
    changed_at: datetime | None
    account: Account | None


@dataclass(frozen=True, slots=True)
class RoleContents:
    """The versions of one role that are still there."""

    role: str
    oldest: int
    newest: int
    versions: int
    stored: int
    changed_at: datetime


def is_readable() -> bool:
    """Tell whether the built-in server's data lie in the dashboard's database."""
    return trust_server_tables.are_here()


def stored_repositories(user: User, search: str = "") -> QuerySet[StoredRepository]:
    """List all repositories of the server by name.

    Raises:
        NotAllowed: only an administrator or an auditor of the installation sees all of them.
    """
    require(user, "read_trust_servers")
    found = StoredRepository.objects.order_by("gun")
    return found.filter(gun__icontains=search) if search else found


def contents_of(guns: list[str]) -> list[Contents]:
    """Count the versions of these repositories, in two queries whatever their number."""
    sums = {
        row["gun"]: row
        for row in StoredVersion.objects.filter(gun__in=guns)
        .values("gun")
        .annotate(versions=Count("pk"), stored=Sum(Length("data")), changed_at=Max("created_at"))
    }
    empty = {"versions": 0, "stored": 0, "changed_at": None}
    accounts = list(Account.objects.all())
    return [Contents(gun=gun, account=account_of_image(gun, accounts), **_counts(sums.get(gun, empty))) for gun in guns]


def _counts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("versions", "stored", "changed_at")}


def roles_of(user: User, gun: str) -> list[RoleContents]:
    """List the roles of one repository, the base roles first as in the alphabet.

    Raises:
        NotAllowed: as for all of them.
    """
    require(user, "read_trust_servers")
    rows = (
        StoredVersion.objects.filter(gun=gun)
        .values("role")
        .annotate(
            oldest=Min("version"),
            newest=Max("version"),
            versions=Count("pk"),
            stored=Sum(Length("data")),
            changed_at=Max("created_at"),
        )
        .order_by("role")
    )
    return [RoleContents(**row) for row in rows]


def changes(user: User, gun: str = "") -> QuerySet[StoredChange]:
    """List what happened on the server, newest first.

    Raises:
        NotAllowed: as for all of them.
    """
    require(user, "read_trust_servers")
    found = StoredChange.objects.order_by("-pk")
    return found.filter(gun=gun) if gun else found


def who_may_push(gun: str) -> list[User]:
    """List who gets a token to publish this repository."""
    return list(people_who_may_push(gun))
