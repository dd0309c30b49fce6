"""Who vouches for whom, as a picture, from the rows the last check left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signing.models import Repository
from trustui.pages.words import VERDICTS


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
    tone = VERDICTS[repository.verdict][0]
    keys = repository.administrative_keys
    signers = [
        Node(entry["name"], f"{_count(entry['keys'], 'key')} · may sign", tone) for entry in repository.signers[:6]
    ]
    if len(repository.signers) > len(signers):
        signers.append(Node(f"and {len(repository.signers) - len(signers)} more", "see the list of signers"))
    signers = signers or [Node("No signers", "only the repository key signs")]
    left_out = [Node(name, reason, "bad") for name, reason in sorted(repository.left_out.items())]
    return [
        [Node("root", _role_text(by_name.get("root"), keys.get("root", [])), tone)],
        [Node("targets", _role_text(by_name.get("targets"), keys.get("repository", [])), tone)],
        [*signers, *left_out],
        [Node("tags", f"{getattr(repository, 'tag_count', repository.tags.count())} signed", tone, "#tags")],
    ]


def _role_text(role: dict[str, Any] | None, key_ids: list[str]) -> str:
    words = [_count(key_ids, "key")]
    if role and role.get("expires"):
        words.append(f"until {role['expires'][:10]}")
    return "\n".join(words)  # a line each: a date is not to break


def _count(things: list[str], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
