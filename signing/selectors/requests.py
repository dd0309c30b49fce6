"""Signer requests a person may see, and what approving one of them takes."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils import timezone

from signing.models import ChangeRequest, ChangeRequestItem, Key, Repository, User
from signing.permissions import LEADS
from signing.selectors.keys import repository_key_of, root_key_of
from signing.selectors.reach import Reach


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be done, and what to do about it."""

    sentence: str
    next_step: str


def visible_requests(user: User) -> QuerySet[ChangeRequest]:
    """List the requests of the person's accounts and of their repositories, newest first."""
    requests = ChangeRequest.objects.select_related(
        "account", "signer__account", "signer__key", "requested_by"
    ).prefetch_related("items__repository", "items__operation", "decisions__by")
    return requests.filter(Reach(user).requests()).order_by("-created_at", "-pk")


def waiting_for(user: User) -> QuerySet[ChangeRequest]:
    """List the requests this person can decide now: not their own, not decided by them, not expired."""
    requests = visible_requests(user).filter(state=ChangeRequest.State.WAITING, expires_at__gt=timezone.now())
    if user.is_machine:
        return requests.none()
    return requests.filter(Reach(user, LEADS).requests()).exclude(Q(requested_by=user) | Q(decisions__by=user))


def passphrases_needed(request: ChangeRequest) -> list[str]:
    """List the passphrases the last approval has to bring: "root", "repository", both or none."""
    items = request.items.select_related("repository__account")
    needed = {purpose for item in items for purpose in passphrases_of_item(item)}
    return [purpose for purpose in ("root", "repository") if purpose in needed]


def passphrases_of_item(item: ChangeRequestItem) -> list[str]:
    """List the passphrases the work on one repository takes."""
    return passphrases_of_repository(item.repository)


def passphrases_of_repository(repository: Repository) -> list[str]:
    """List the passphrases that adding a signer to a repository takes.

    An uninitialised repository takes the root key's and a new one for the repository key it gets, unless the root
    key is unattended: then its repository keys are too.
    """
    if is_initialised(repository):
        key = repository_key_of(repository)
        return ["repository"] if key and key.asks_passphrase else []
    root = root_key_of(repository.account)
    return ["root", "repository"] if root and root.asks_passphrase else []


def missing_administrative_key(repository: Repository) -> Problem | None:
    """Say which key is missing for adding a signer to a repository; None when all are here."""
    if is_initialised(repository):
        if repository_key_of(repository):
            return None
        return Problem(
            f"The repository key of {repository.gun} is not on this server.",
            "Import the repository key of the one who initialised it, or ask them to add the signer.",
        )
    root = root_key_of(repository.account)
    if root is None:
        return Problem(
            f"{repository.account} has no root key yet, so {repository.gun} cannot be initialised.",
            "Generate a root key for the account first.",
        )
    if root.custody != Key.Custody.SEALED:
        return Problem(
            f"The root key of {repository.account} is with its owner, so {repository.gun} cannot be initialised here.",
            "Ask the key's owner to initialise the repository.",
        )
    return None


def is_initialised(repository: Repository) -> bool:
    """Tell whether the repository had trust data when it last verified."""
    return bool(repository.administrative_keys)
