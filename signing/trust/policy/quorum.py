"""Decide what a set of votes means. Pure: no clock, no rows.

Notary v1 knows no threshold above one for delegations, so this quorum is ours: enforced before anything is
signed, and never visible in the trust data.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Outcome(Enum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's yes or no, and what content it was given for."""

    by: int
    approves: bool
    content: str = ""


def outcome(
    votes: Sequence[Vote],
    *,
    barred: Collection[int],
    needed: int,
    expires_at: datetime,
    now: datetime,
    content: str = "",
) -> Outcome:
    """Say where a request stands.

    One rejection ends it, even after the quorum, and whatever content it was for. The approval of somebody who is
    barred, a second one by the same person and one for other content never count. A request whose time is over before
    the quorum was met expires.
    """
    if any(not vote.approves for vote in votes):
        return Outcome.REJECTED
    if len(approvers(votes, barred=barred, content=content)) >= max(needed, 1):
        return Outcome.APPROVED
    return Outcome.EXPIRED if now >= expires_at else Outcome.WAITING


def approvers(votes: Sequence[Vote], *, barred: Collection[int], content: str = "") -> Collection[int]:
    """List the people whose approval of this content counts, each once."""
    return {vote.by for vote in votes if vote.approves and vote.content == content and vote.by not in barred}


def may_vote(person: int, votes: Sequence[Vote], *, barred: Collection[int], content: str = "") -> bool:
    """Tell whether a person's vote can still count: nobody who is barred, and nobody twice for the same content."""
    return person not in barred and all(vote.by != person or vote.content != content for vote in votes)
