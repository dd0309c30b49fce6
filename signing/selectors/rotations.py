"""Replacements of keys that a person may see, what one key reaches, and which keys could take its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from signing.approvals.previews import state_of
from signing.models import Key, Repository, Rotation, User
from signing.selectors.keys import visible_keys
from signing.trust.errors import TrustError
from signing.trust.notary.replacing import Use, tags_of, uses_of
from signing.trust.tuf import roles


@dataclass(frozen=True, slots=True)
class Place:
    """One repository that names a key: in which roles, and the names it signs there."""

    repository: Repository
    uses: tuple[Use, ...]

    @property
    def tags(self) -> list[str]:
        return tags_of(self.uses)

    @property
    def needed(self) -> list[str]:
        """Name the roles that nobody could sign without the key."""
        return [use.role for use in self.uses if use.is_needed]

    @property
    def consequences(self) -> list[str]:
        """List what would break if the key were gone and nothing took its place."""
        return list(dict.fromkeys(_consequence(use.role) for use in self.uses if use.is_needed))


@dataclass(frozen=True, slots=True)
class Radius:
    """Everything that names a key."""

    places: tuple[Place, ...]

    @property
    def tag_count(self) -> int:
        return sum(len(place.tags) for place in self.places)

    @property
    def role_count(self) -> int:
        return sum(len(place.uses) for place in self.places)

    @property
    def needed_count(self) -> int:
        return sum(len(place.needed) for place in self.places)

    def as_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            place.repository.gun: {
                "tags": place.tags,
                "roles": [
                    {"role": use.role, "threshold": use.threshold, "left": use.left, "signs": use.signs}
                    for use in place.uses
                ],
            }
            for place in self.places
        }


def radius_of(key: Key) -> Radius:
    """Search the trusted files of every repository of the key's account for it."""
    return Radius(tuple(_places(key, Repository.objects.filter(account=key.account_id).order_by("gun"))))


def repositories_naming(key: Key) -> list[Repository]:
    """List the repositories of the key's account whose trusted files name it."""
    return [place.repository for place in radius_of(key).places]


def candidates_for(key: Key) -> list[Key]:
    """List the keys that could take a key's place: of its account and purpose, and nobody else's."""
    rows = (
        Key.objects.filter(account=key.account_id, purpose=key.purpose, gun=key.gun, signers=None)
        .exclude(pk=key.pk)
        .exclude(freezes__in=key.freezes.model.objects.filter(lifted_at=None))
        .select_related("account", "owner")
        .defer("envelope")
        .order_by("-created_at")
    )
    return [row for row in rows if row.owner_id in (None, key.owner_id)]


def visible_rotations(user: User) -> QuerySet[Rotation]:
    """List the replacements of keys that the person may see, the newest first."""
    rows = Rotation.objects.select_related("key__account", "key__owner", "replacement", "request", "asked_by")
    return rows.filter(key__in=visible_keys(user).values("pk")).order_by("-created_at", "-pk")


def _places(key: Key, repositories: Iterable[Repository]) -> Iterable[Place]:
    for repository in repositories:
        try:
            trusted = state_of(repository)
        except TrustError:
            continue  # its page says what is wrong with it
        uses = uses_of(trusted, key.key_id) if trusted else []
        if uses:
            yield Place(repository, tuple(uses))


def _consequence(role: str) -> str:
    if role == roles.ROOT:
        return "No other key could be replaced any more; when the root ends, clients refuse the repository."
    if role == roles.TARGETS:
        return "No signer could come or go, and when targets ends, clients refuse the repository."
    if role == roles.RELEASES:
        return "No tag could be released, and when it ends, docker refuses those that are."
    return f"Nothing more could be signed as {role.removeprefix('targets/')}."
