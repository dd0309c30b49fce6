"""Keys a person may see, and the administrative keys of an account and of a repository."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from signing.models import Account, Key, Repository, Signer, User
from signing.selectors.reach import Reach


def visible_keys(user: User) -> QuerySet[Key]:
    """List the keys of the person's accounts. Their envelopes stay in the database.

    With a role in single repositories these are the repositories' keys, those of their signers and the person's own. A
    machine account reads none.
    """
    keys = Key.objects.select_related("account", "owner").defer("envelope").order_by("account__name", "purpose", "name")
    if user.is_machine:
        return keys.none()
    reach = Reach(user)
    if reach.is_everything:
        return keys
    signers = Signer.objects.filter(reach.signers()).values("key")
    own = Q(owner=user) & reach.in_accounts()
    return keys.filter(reach.in_whole_accounts() | own | Q(pk__in=signers) | Q(gun__in=reach.single_guns()))


def root_key_of(account: Account) -> Key | None:
    """Find the root key that vouches for new repositories of the account: its newest one."""
    return account.keys.filter(purpose=Key.Purpose.ROOT).defer("envelope").order_by("-pk").first()


def repository_key_of(repository: Repository) -> Key | None:
    """Find the key of a repository's targets role, where this server holds it.

    A key that the verified trust data does not name is of no use, whoever it belongs to.
    """
    return (
        repository.account.keys.filter(
            purpose=Key.Purpose.REPOSITORY,
            gun=repository.gun,
            key_id__in=repository.administrative_keys.get("repository", []),
        )
        .exclude(custody=Key.Custody.CLIENT)
        .defer("envelope")
        .order_by("-pk")
        .first()
    )
