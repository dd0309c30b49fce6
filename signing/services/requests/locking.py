"""One request, locked, so that two decisions about it never meet."""

from __future__ import annotations

from signing.approvals.content import barred_from, votes_of
from signing.approvals.people import person_of
from signing.errors import NotAllowed, TooLate
from signing.models import ChangeRequest, User
from signing.permissions import require
from signing.trust.policy.quorum import may_vote


def locked(request: ChangeRequest) -> ChangeRequest:
    """Read the request's row anew and keep it until the transaction ends."""
    return (
        ChangeRequest.objects.select_for_update(of=("self",))
        .select_related(
            "account", "signer__account", "signer__key", "signer__user", "requested_by", "asked_through__created_by"
        )
        .get(pk=request.pk)
    )


def require_waiting(request: ChangeRequest) -> None:
    """Raise unless it can still be decided about.

    Raises:
        TooLate: it was decided.
    """
    if request.state != ChangeRequest.State.WAITING:
        raise TooLate(f"The request is {request.state} already.")


def require_may_decide(actor: User, request: ChangeRequest, content: str) -> None:
    """Raise unless this person's decision about this content would count.

    Raises:
        NotAllowed: they may not decide here, or are on the asking side under whichever account.
        TooLate: it was decided, or they decided before.
    """
    require(actor, "decide_request", request)
    require_waiting(request)
    person, barred = person_of(actor), barred_from(request)
    if person in barred:
        raise NotAllowed(
            "You are on the asking side of this request; somebody else has to decide.",
            next_step="Ask another lead of the account, or an administrator.",
        )
    if not may_vote(person, votes_of(request), barred=barred, content=content):
        raise TooLate("You decided about this request already.", next_step="Another lead has to decide now.")
