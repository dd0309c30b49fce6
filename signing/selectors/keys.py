"""Keys a person may see, and the administrative keys of an account and of a repository."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import Account, Key, Repository, User


def visible_keys(user: User) -> QuerySet[Key]:
    """List the keys of the person's accounts. Their envelopes stay in the database."""
    keys = Key.objects.select_related("account", "owner").defer("envelope")
    if not user.is_superuser:
        keys = keys.filter(account__memberships__user=user)
    return keys.order_by("account__name", "purpose", "name")


def root_key_of(account: Account) -> Key | None:
    """Find the account's one root key."""
    return account.keys.filter(purpose=Key.Purpose.ROOT).defer("envelope").order_by("pk").first()


def repository_key_of(repository: Repository) -> Key | None:
    """Find the key of a repository's targets role, where this server holds it.

    A key that the verified trust data does not name is of no use, whoever it belongs to.
    """
    return (
        repository.account.keys.filter(
            purpose=Key.Purpose.REPOSITORY,
            custody=Key.Custody.SEALED,
            gun=repository.gun,
            key_id__in=repository.administrative_keys.get("repository", []),
        )
        .defer("envelope")
        .order_by("-pk")
        .first()
    )
