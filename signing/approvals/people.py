"""Who is the same person under several accounts: those with the same e-mail address."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db.models import Q
from django.db.models.functions import Lower

from signing.models import User

ADDRESSES = "allauth.account"


def person_of(user: User) -> int:
    """Name the person behind an account, the same for all of their accounts: the lowest of these accounts' ids."""
    return min(accounts_of(user))


def persons_of(users: Iterable[User]) -> frozenset[int]:
    """Name the persons behind several accounts."""
    return frozenset(person_of(user) for user in users)


def accounts_of(user: User) -> frozenset[int]:
    """List the accounts of the one person behind `user`, itself among them."""
    found, addresses = {user.pk}, {user.email.lower()} | _verified_of({user.pk})
    while True:
        wider = found | _users_with(addresses - {""})
        if wider == found:
            return frozenset(found)
        found = wider
        known = User.objects.filter(pk__in=found).values_list(Lower("email"), flat=True)
        addresses = set(known) | _verified_of(found)


def _verified_of(users: set[int]) -> set[str]:
    if not apps.is_installed(ADDRESSES):
        return set()
    rows = apps.get_model("account", "EmailAddress").objects.filter(user__in=users, verified=True)
    return set(rows.values_list(Lower("email"), flat=True))


def _users_with(addresses: set[str]) -> set[int]:
    if not addresses:
        return set()
    same = Q()
    for address in addresses:
        same |= Q(email__iexact=address)
    found = set(User.objects.filter(same).values_list("pk", flat=True))
    if apps.is_installed(ADDRESSES):
        rows = apps.get_model("account", "EmailAddress").objects.filter(same, verified=True)
        found |= set(rows.values_list("user", flat=True))
    return found
