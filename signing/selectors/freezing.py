"""Freezes a person may see, and those that count for what a page shows."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from signing.freezing import in_force
from signing.models import Account, Freeze, Key, Membership, Repository, User
from signing.selectors.keys import visible_keys
from signing.selectors.reach import Reach


def visible_freezes(user: User) -> QuerySet[Freeze]:
    """List the freezes of keys, accounts and people that the person meets, in force first, then the newest."""
    rows = Freeze.objects.select_related("key__account", "account", "person", "by", "lifted_by")
    rows = rows.defer("key__envelope").order_by("-lifted_at", "-at", "-pk")
    reach = Reach(user)
    if reach.is_everything:
        return rows
    met = Membership.objects.filter(reach.in_accounts()).values("user")
    seen = Q(key__in=visible_keys(user).values("pk")) | Q(person=user) | Q(person__in=met)
    return rows.filter(seen | Q(account__in=_accounts(reach)))


def freezes_in(repository: Repository) -> list[Freeze]:
    """List the freezes that keep something from being signed in a repository, the newest first."""
    named = [key_id for entry in repository.signers for key_id in entry["keys"]]
    signing = Q(key_id__in=named) | Q(gun=repository.gun) | Q(purpose=Key.Purpose.ROOT)
    keys = Key.objects.filter(signing, account=repository.account_id).order_by()
    stopped = Q(key__in=keys.values("pk")) | Q(person__in=keys.values("owner"))
    return list(in_force().filter(stopped | Q(account=repository.account_id)))


def _accounts(reach: Reach) -> QuerySet[Account]:
    return Account.objects.filter(reach.accounts())
