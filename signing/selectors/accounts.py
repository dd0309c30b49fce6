"""Accounts a person may see."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from signing.models import Account, Membership, User


def visible_accounts(user: User) -> QuerySet[Account]:
    """List the accounts the person belongs to; all of them for an administrator."""
    accounts = Account.objects.select_related("trust_server")
    if not user.is_superuser:
        accounts = accounts.filter(memberships__user=user)
    return accounts.order_by("name")


def members_of(account: Account) -> QuerySet[Membership]:
    """List who may do what in an account."""
    return account.memberships.select_related("user").order_by("user__username")


def people_of(account: Account, user: User) -> QuerySet[User]:
    """List who can sign in and has a role in an account, and the one who asks, who may be an administrator."""
    has_part = Q(memberships__account=account) | Q(pk=user.pk)
    return User.objects.filter(has_part, is_active=True).distinct().order_by("username")


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
