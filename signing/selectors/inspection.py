"""What `docker trust inspect` would print, from the rows the last check left."""

from __future__ import annotations

from typing import Any

from signing.models import Repository
from signing.selectors.repositories import tags_of
from signing.trust.notary import inspect

PRINTED_TAGS = 50  # the page stays small; their own address gives every tag


def pretty(repository: Repository, tag: str = "") -> str:
    """Write what `docker trust inspect --pretty` prints; empty where there is no trust data."""
    if not repository.administrative_keys:
        return ""
    return inspect.pretty(_description(repository, tag, limit=PRINTED_TAGS))


def all_pretty(repository: Repository) -> str:
    """Write all of what `docker trust inspect --pretty` prints, however long."""
    return inspect.pretty(_description(repository, ""))


def as_json(repository: Repository, tag: str = "") -> str:
    """Write what `docker trust inspect` prints."""
    return inspect.to_json([_description(repository, tag)])


def _description(repository: Repository, tag: str, limit: int | None = None) -> dict[str, Any]:
    rows = tags_of(repository).filter(is_counted=True)
    if tag:
        rows = rows.filter(tag=tag)
    return inspect.description(
        f"{repository.gun}:{tag}" if tag else repository.gun,
        list(rows.values_list("tag", "digest", "signers")[:limit]),
        [(entry["name"], entry["keys"]) for entry in repository.signers],
        repository.administrative_keys.get("root", []),
        repository.administrative_keys.get("repository", []),
    )
