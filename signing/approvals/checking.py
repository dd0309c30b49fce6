"""What the signing worker asks before it signs: was exactly this approved, and by enough people.

It believes no column that says so: the content is hashed anew and the decisions are counted again.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from signing.approvals.content import barred_from, content_hash, stored_lines, votes_of
from signing.approvals.policies import policy_of
from signing.errors import NotAsApproved
from signing.models import ChangeRequest, ChangeRequestItem, Operation
from signing.trust.notary.lines import diff_lines
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.policy.quorum import approvers

ASK = "Ask for it, and have another person approve it."
ASKED = ("tag", "digest", "length", "role", "keys", "old", "new")


class ApprovedLines:
    """Lets a publish pass that goes by the approved lines, byte for byte: before anything is signed, and read back."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = list(lines)

    def __call__(self, before: TrustedRepository | None, update: Update, is_there: bool) -> None:
        """Compare.

        Raises:
            NotAsApproved: it is something else.
        """
        found = diff_lines(before, update)
        if found == self.lines:
            return
        unlike = next(iter([*(set(found) ^ set(self.lines))]), "the order of the lines")
        if is_there:
            raise NotAsApproved(
                f"What the trust server shows is not what was approved: {unlike[:200]}",
                next_step="Check the repository now and look at its history before anybody relies on it.",
            )
        raise NotAsApproved(f"What would be signed is not what was approved, so nothing was published: {unlike[:200]}")


def approved_lines(operation: Operation) -> ApprovedLines:
    """Give the lines that the operation's request was approved for, in its repository.

    Raises:
        NotAsApproved: no request caused it, or not enough people approved this content.
    """
    request = ChangeRequest.objects.filter(pk=operation.parameters.get("request")).first()
    items = list(request.items.select_related("repository")) if request else []
    item = next((row for row in items if row.repository_id == operation.repository_id), None)
    if request is None or item is None:
        raise NotAsApproved("No request asks for this.", next_step=ASK)
    _require_same_work(operation, request)
    _require_approved(request, items)
    return ApprovedLines(item.diff)


def approved_lines_if_needed(operation: Operation) -> ApprovedLines | None:
    """Do so for signing, which a policy may leave to whoever holds the key; None where nothing was asked.

    Raises:
        NotAsApproved: the policy wants approvals, and there are not enough for this.
    """
    if operation.parameters.get("request"):
        return approved_lines(operation)
    if operation.repository and policy_of(operation.repository).needed_to_sign:
        raise NotAsApproved(
            f"Signing in {operation.repository.gun} takes an approval, and nobody was asked.", next_step=ASK
        )
    return None


def _require_same_work(operation: Operation, request: ChangeRequest) -> None:
    given, asked = operation.parameters, request.parameters
    same = operation.kind == request.kind and operation.signer_id == request.signer_id
    if not same or any(given.get(name) != asked.get(name) for name in ASKED):
        raise NotAsApproved("The work is not what its request asks for.", next_step=ASK)


def _require_approved(request: ChangeRequest, items: Sequence[ChangeRequestItem]) -> None:
    content = content_hash(request, stored_lines(items))
    if request.state != ChangeRequest.State.APPROVED or content != request.content_hash:
        raise NotAsApproved(f"Request {request.pk} is not approved for this content.", next_step=ASK)
    if _ends_as_approved(request):
        return
    votes = votes_of(request)
    counted = approvers(votes, barred=barred_from(request), content=content)
    if len(counted) < max(1, request.needed_approvals) or not all(vote.approves for vote in votes):
        raise NotAsApproved(
            f"Request {request.pk} has {len(counted)} approvals for this content and needs {request.needed_approvals}.",
            next_step=ASK,
        )


def _ends_as_approved(request: ChangeRequest) -> bool:
    """Tell whether it takes a signer away whose own request was approved with that end."""
    first = request.follows
    return (
        first is not None
        and request.kind == ChangeRequest.Kind.REMOVE_SIGNER
        and first.kind == ChangeRequest.Kind.ADD_SIGNER
        and first.state == ChangeRequest.State.APPROVED
        and first.signer_id == request.signer_id
        and bool(first.parameters.get("removes_itself"))
        and first.signer_ends_at is not None
        and first.signer_ends_at <= timezone.now()
    )
