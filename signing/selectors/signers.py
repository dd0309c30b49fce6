"""Signers a person may see, and which of them may sign a repository."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import Repository, Signer, User
from signing.permissions import may
from signing.selectors.reach import Reach


def visible_signers(user: User) -> QuerySet[Signer]:
    """List the signers of the person's accounts; with a role in single repositories, theirs and the person's own."""
    signers = Signer.objects.select_related("account", "key", "user").defer("key__envelope")
    return signers.filter(Reach(user).signers()).order_by("account__name", "name")


def approved_signers(repository: Repository) -> list[Signer]:
    """List the signers whose very key the repository's verified trust data delegates to."""
    approved = {(entry["name"], key) for entry in repository.signers for key in entry["keys"]}
    signers = Signer.objects.filter(account=repository.account_id).select_related("account", "key", "user")
    return [signer for signer in signers if (signer.name, signer.key.key_id) in approved]


def people_behind(repository: Repository) -> dict[str, User | None]:
    """Name who is behind each signer's name whose very key is trusted there; None: a machine."""
    approved = {(entry["name"], key) for entry in repository.signers for key in entry["keys"]}
    rows = Signer.objects.filter(account=repository.account_id, name__in={name for name, _key in approved})
    rows = rows.select_related("user", "key").only(
        "name", "key__key_id", "user__username", "user__first_name", "user__last_name"
    )
    return {row.name: row.user for row in rows if (row.name, row.key.key_id) in approved}


def usable_signers(user: User, repository: Repository) -> list[Signer]:
    """List the approved signers this person may sign with."""
    return [signer for signer in approved_signers(repository) if may(user, "sign_with", signer, at=repository)]


def repositories_of(signer: Signer) -> list[Repository]:
    """List the repositories whose verified trust data names the signer with this key."""
    return [
        repository
        for repository in Repository.objects.filter(account=signer.account_id).order_by("gun")
        if any(entry["name"] == signer.name and signer.key.key_id in entry["keys"] for entry in repository.signers)
    ]
