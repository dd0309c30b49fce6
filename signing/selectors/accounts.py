"""Accounts a person may see."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from signing.models import Account, Membership, Repository, User
from signing.roles import counting
from signing.selectors.reach import Reach


def visible_accounts(user: User) -> QuerySet[Account]:
    """List the accounts the person has a role in, be it in one repository; all of them for who reads everything."""
    return Account.objects.select_related("trust_server").filter(Reach(user).accounts()).order_by("name")


def members_of(place: Account | Repository) -> QuerySet[Membership]:
    """List who may do what in an account, or in one repository beyond that; ended roles too, until they are removed."""
    members = place.memberships.select_related("user", "account", "repository").order_by("user__username")
    return members.filter(repository=None) if isinstance(place, Account) else members


def people_of(account: Account, user: User) -> QuerySet[User]:
    """List who can sign in and has a role in an account, and the one who asks, who may be an administrator."""
    members = Membership.objects.filter(counting(), account=account).values("user")
    people = User.objects.filter(Q(pk__in=members) | Q(pk=user.pk), is_active=True, is_machine=False)
    return people.order_by("username")


def account_of_image(gun: str, among: Iterable[Account] | None = None) -> Account | None:
    """Find the account whose namespace an image lies in; the most exact one where namespaces nest.

    Who asks for many images fetches the accounts once and passes them in.
    """
    registry, _, path = gun.partition("/")
    accounts = Account.objects.filter(registry=registry) if among is None else among
    found = [
        account
        for account in accounts
        if account.registry == registry and (not account.namespace or path.startswith(f"{account.namespace}/"))
    ]
    return max(found, key=lambda account: len(account.namespace), default=None)
