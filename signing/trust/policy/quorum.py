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
    """One person's yes or no."""

    by: int
    approves: bool


def outcome(votes: Sequence[Vote], *, requester: int, needed: int, expires_at: datetime, now: datetime) -> Outcome:
    """Say where a request stands.

    One rejection ends it, even after the quorum. The requester's own approval and a second one by the same
    person never count. A request whose time is over before the quorum was met expires.
    """
    if any(not vote.approves for vote in votes):
        return Outcome.REJECTED
    if len(approvers(votes, requester=requester)) >= max(needed, 1):
        return Outcome.APPROVED
    return Outcome.EXPIRED if now >= expires_at else Outcome.WAITING


def approvers(votes: Sequence[Vote], *, requester: int) -> Collection[int]:
    """List the people whose approval counts, each once."""
    return {vote.by for vote in votes if vote.approves and vote.by != requester}


def may_vote(person: int, votes: Sequence[Vote], *, requester: int) -> bool:
    """Tell whether a person's vote can still count: not the requester, and nobody twice."""
    return person != requester and all(vote.by != person for vote in votes)
