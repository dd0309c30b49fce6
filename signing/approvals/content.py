"""What exactly an approval is for, who gave one, and whose does not count."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from signing.approvals.people import person_of, persons_of
from signing.models import ChangeRequest, ChangeRequestItem, User
from signing.trust.policy.quorum import Vote
from signing.trust.tuf import canonical

ItemLines = tuple[str, Sequence[str]]
"""The name of a repository, or none for the account, and the lines that go and come there."""


def content_hash(request: ChangeRequest, items: Iterable[ItemLines]) -> str:
    """Hash what is asked, with which key, until when, and every line that would be signed: sha256, hex."""
    signer = request.signer
    ends_at = request.signer_ends_at
    content = {
        "kind": request.kind,
        "parameters": request.parameters,
        "signer": [signer.name, signer.key.key_id] if signer else [],
        "ends": ends_at.isoformat() if ends_at else "",
        "items": [[name, list(lines)] for name, lines in sorted(items, key=lambda item: item[0])],
    }
    return hashlib.sha256(canonical.encode(content)).hexdigest()


def stored_lines(items: Iterable[ChangeRequestItem]) -> list[ItemLines]:
    """Give the lines as they were shown last."""
    return [(item.repository.gun, item.diff) for item in items]


def votes_of(request: ChangeRequest) -> list[Vote]:
    """Give every decision as one person's vote for one content."""
    return [
        Vote(person_of(decision.by), decision.approves, decision.content_hash)
        for decision in request.decisions.select_related("by")
    ]


def barred_from(request: ChangeRequest) -> frozenset[int]:
    """List the persons whose approval never counts.

    Whoever asked, under whichever of their accounts; whoever made the token it was asked with; and for a new signer
    the one who would sign.
    """
    people: list[User | None] = [request.requested_by]
    if request.asked_through:
        people += [request.asked_through.user, request.asked_through.created_by]
    if request.kind == ChangeRequest.Kind.ADD_SIGNER and request.signer:
        people.append(request.signer.user)
    return persons_of(person for person in people if person is not None)
