"""What `docker trust inspect` would print, from the rows the last check left; and the same as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signing.models import Repository, SignedTag
from signing.selectors.repositories import tags_of
from signing.trust.notary import inspect

PRINTED_TAGS = 200  # the page stays small; the JSON address gives every tag


def pretty(repository: Repository, tag: str = "") -> str:
    """Write what `docker trust inspect --pretty` prints; empty where there is no trust data."""
    if not repository.administrative_keys:
        return ""
    tags = _tags(repository, tag)[:PRINTED_TAGS]
    return inspect.pretty_text(
        _name(repository, tag),
        [(row.tag, row.digest, tuple(row.signers)) for row in tags],
        [(entry["name"], entry["keys"]) for entry in repository.signers],
        repository.administrative_keys.get("root", []),
        repository.administrative_keys.get("repository", []),
    )


def as_json(repository: Repository, tag: str = "") -> str:
    """Write what `docker trust inspect` prints."""
    description: dict[str, Any] = {
        "Name": _name(repository, tag),
        "SignedTags": [
            {"SignedTag": row.tag, "Digest": row.digest, "Signers": sorted(row.signers) or ["Repo Admin"]}
            for row in _tags(repository, tag)
        ],
        "Signers": [_keys(entry["name"], sorted(entry["keys"])) for entry in repository.signers],
        "AdministrativeKeys": [
            _keys(name.capitalize(), sorted(repository.administrative_keys.get(name, [])))
            for name in ("root", "repository")
        ],
    }
    return inspect.to_json([description])


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the picture of trust."""

    title: str
    text: str
    tone: str = ""
    url: str = ""


def chain_of(repository: Repository) -> list[list[Node]]:
    """Draw who vouches for whom: root, then the repository key, then signers, then tags, a column each."""
    if not repository.administrative_keys:
        return []
    by_name = {entry["role"]: entry for entry in repository.roles}
    keys = repository.administrative_keys
    signers = [
        Node(entry["name"], f"{_count(entry['keys'], 'key')} · may sign", "good") for entry in repository.signers[:6]
    ]
    if len(repository.signers) > len(signers):
        signers.append(Node(f"and {len(repository.signers) - len(signers)} more", "see the list of signers"))
    signers = signers or [Node("No signers", "only the repository key signs")]
    left_out = [Node(name, reason, "bad") for name, reason in sorted(repository.left_out.items())]
    return [
        [Node("root", _role_text(by_name.get("root"), keys.get("root", [])), "good")],
        [Node("targets", _role_text(by_name.get("targets"), keys.get("repository", [])), "good")],
        [*signers, *left_out],
        [Node("tags", f"{getattr(repository, 'tag_count', repository.tags.count())} signed", "good", "#tags")],
    ]


def _role_text(role: dict[str, Any] | None, key_ids: list[str]) -> str:
    words = [_count(key_ids, "key")]
    if role and role.get("expires"):
        words.append(f"valid until {role['expires'][:10]}")
    return " · ".join(words)


def _count(things: list[str], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def _name(repository: Repository, tag: str) -> str:
    return f"{repository.gun}:{tag}" if tag else repository.gun


def _tags(repository: Repository, tag: str) -> list[SignedTag]:
    rows = tags_of(repository)
    return list(rows.filter(tag=tag) if tag else rows)


def _keys(name: str, key_ids: list[str]) -> dict[str, Any]:
    return {"Name": name, "Keys": [{"ID": key_id} for key_id in key_ids]}
