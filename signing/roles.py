"""Which roles a person has where, and where the token that speaks for them lets them go.

What a role may do is said in `signing.permissions`; which rows it shows, in `signing.selectors`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from django.db.models import Q, QuerySet
from django.utils import timezone

from signing.models import (
    Account,
    ApiToken,
    ChangeRequest,
    Key,
    Membership,
    Operation,
    Repository,
    Signer,
    User,
    Webhook,
)

Thing = Account | ApiToken | ChangeRequest | Key | Operation | Repository | Signer | User | Webhook | None
Role = Membership.Role

ADMINS = frozenset({Role.ADMIN})
LEADS = ADMINS | {Role.LEAD}
OVERSEERS = LEADS | {Role.AUDITOR}  # who reads an account's audit log and is told of what goes wrong in it


def counting() -> Q:
    """Say which memberships count now: those without an end, or whose end is still to come."""
    return Q(ends_at=None) | Q(ends_at__gt=timezone.now())


def memberships_of(user: User) -> QuerySet[Membership]:
    """List the memberships of a person that count now."""
    return Membership.objects.filter(counting(), user=user)


def acting_token(user: User) -> ApiToken | None:
    """Give the API token this person came with, None for one who signed in. The API sets it on the instance."""
    token = getattr(user, "acting_token", None)
    return token if isinstance(token, ApiToken) else None


def named_repositories(token: ApiToken | None) -> frozenset[int]:
    """List the repositories a token is limited to by their row; none: it goes wherever its user goes."""
    return frozenset(row.pk for row in token.repositories.all()) if token else frozenset()


def account_of(thing: Thing) -> Account | None:
    """Find the account a thing belongs to."""
    if thing is None or isinstance(thing, User | ApiToken):
        return None
    return thing if isinstance(thing, Account) else thing.account


def repositories_of(thing: Thing) -> frozenset[int]:
    """List the repositories a thing is about, by their rows; none where it concerns the account as a whole."""
    if isinstance(thing, Repository):
        return frozenset((thing.pk,))
    if isinstance(thing, Operation):
        return frozenset((thing.repository_id,) if thing.repository_id else ())
    if isinstance(thing, ChangeRequest):
        return frozenset(thing.items.values_list("repository_id", flat=True))
    return frozenset()


class Matter:
    """One thing as one person meets it; their roles are read once, however many rules ask."""

    def __init__(self, user: User, thing: Thing, at: Repository | None = None) -> None:
        self.user = user
        self.thing = thing
        self.account = account_of(thing)
        self._at = at

    @cached_property
    def places(self) -> frozenset[int]:
        """The repositories it is about."""
        return frozenset((self._at.pk,)) if self._at else repositories_of(self.thing)

    @cached_property
    def _roles(self) -> list[tuple[int | None, str]]:
        if self.account is None:
            return []
        rows = memberships_of(self.user).filter(account=self.account)
        return list(rows.values_list("repository_id", "role"))

    def has_role(self, roles: Collection[str]) -> bool:
        """Tell whether one of these roles counts, for every repository the thing is about."""
        held = [(place, role) for place, role in self._roles if role in roles]
        of_account = any(place is None for place, _ in held)
        return of_account or (bool(self.places) and self.places <= {place for place, _ in held})

    def has_part(self, roles: Collection[str]) -> bool:
        """Tell whether one of these roles counts in the account or in any repository of it."""
        return any(role in roles for _, role in self._roles)
