"""Decide about what others ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.approvals.content import barred_from, content_hash, votes_of
from signing.approvals.keys import SIGNER
from signing.approvals.opening import keep_previews, lines_of, needed_for, previews_of
from signing.approvals.people import person_of
from signing.approvals.policies import strictest
from signing.approvals.previews import ItemPreview
from signing.approvals.words import title_of
from signing.errors import Conflict, StaleApproval, StepUpRefused, TooLate
from signing.freezing import require_not_frozen
from signing.models import ChangeRequest, Decision, Event, Policy, User
from signing.services import audit
from signing.services.policies import put_policy_in_force
from signing.services.requests.asking import require_no_lock_out
from signing.services.requests.locking import locked, require_may_decide
from signing.services.requests.working import passphrases_to_start, start_items
from signing.trust.errors import InvalidInput
from signing.trust.policy.quorum import Outcome, Vote, outcome

if TYPE_CHECKING:
    from signing.step_up import StepUp

Kind = ChangeRequest.Kind


@transaction.atomic
def approve_request(
    *,
    actor: User,
    request: ChangeRequest,
    content_hash: str | None = None,
    passphrases: Mapping[str, str] | None = None,
    comment: str = "",
    step_up: StepUp | None = None,
) -> ChangeRequest:
    """Count one approval of what the request would do now; once the quorum is met, queue the work.

    `content_hash` names what the person was shown. What earlier approvals were for may have changed since: those do
    not count any more. The passphrases come from the one whose approval completes the quorum, and only for keys that
    ask for one; a signer's own passphrase is for the signer to give afterwards (`retry_request`).

    Raises:
        NotAllowed: this person may not decide, or is on the asking side.
        StaleApproval: it would do something else now than what was shown.
        TooLate: it is decided or expired already, or this person decided before.
        KeyNotHeld: the key that has to sign is not on this server.
        Frozen: the account, or the one who approves, is frozen.
    """
    request = locked(request)
    require_not_frozen(account=request.account, person=actor)
    previews = previews_of(request)
    content = _content_of(request, previews)
    require_may_decide(actor, request, content)
    if content_hash is not None and content_hash != content:
        raise StaleApproval("What this request would do has changed since you looked.")
    policy = strictest(request.account, [item.repository for item in previews if item.repository])
    _require_proved(request, policy)
    has_stepped_up = _stepped_up(actor, request, content, policy, step_up)
    given = dict(passphrases or {})
    state = _state_after(request, policy, Vote(person_of(actor), approves=True, content=content), content)
    if state is Outcome.EXPIRED:
        raise expired(request)
    if state is Outcome.APPROVED:
        _check_work(request, previews, given)
    keep_previews(request, previews)
    Decision.objects.update_or_create(
        request=request,
        by=actor,
        defaults={
            "approves": True,
            "comment": comment,
            "content_hash": content,
            "stepped_up": has_stepped_up,
            "at": timezone.now(),
        },
    )
    if state is Outcome.APPROVED:
        request.state = ChangeRequest.State.APPROVED
        request.save(update_fields=["state"])
        _carry_out(actor, request, given)
        _tell(Event.APPROVED, actor, request, "approved")
    changed = request.parameters if request.kind == Kind.CHANGE_POLICY else {}
    audit.record(
        actor,
        "approve_request",
        account=request.account,
        subject=request.signer or request,
        before=changed.get("before", {}),
        after=changed.get("policy", {}),
        request=request.pk,
        content=content,
        custody=request.signer.key.custody if request.signer else "",
        is_last=state is Outcome.APPROVED,
        comment=comment,
        stepped_up=has_stepped_up,
        approvers=sorted(row.by.username for row in request.decisions.filter(approves=True, content_hash=content)),
    )
    return request


@transaction.atomic
def reject_request(*, actor: User, request: ChangeRequest, comment: str = "") -> ChangeRequest:
    """Say no, which ends the request."""
    request = locked(request)
    require_may_decide(actor, request, request.content_hash)
    if timezone.now() >= request.expires_at:
        raise expired(request)
    Decision.objects.update_or_create(
        request=request,
        by=actor,
        defaults={
            "approves": False,
            "comment": comment,
            "content_hash": request.content_hash,
            "stepped_up": False,
            "at": timezone.now(),
        },
    )
    request.state = ChangeRequest.State.REJECTED
    request.save(update_fields=["state"])
    _tell(Event.REJECTED, actor, request, "rejected")
    audit.record(
        actor,
        "reject_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
        comment=comment,
    )
    return request


def expired(request: ChangeRequest) -> TooLate:
    """Say that a request's time is over."""
    return TooLate(f"The request expired on {request.expires_at:%Y-%m-%d}.", next_step="Ask for it again.")


def _content_of(request: ChangeRequest, previews: Sequence[ItemPreview]) -> str:
    return content_hash(request, lines_of(previews))


def _require_proved(request: ChangeRequest, policy: Policy) -> None:
    signer = request.signer
    if request.kind != Kind.ADD_SIGNER or signer is None or not policy.requires_possession:
        return
    if not signer.key.is_held_here and request.proved_at is None:
        raise Conflict(
            f"{signer.name} has not shown yet to hold the key.",
            next_step="Have its holder sign the challenge on the request's page first.",
        )


def _stepped_up(actor: User, request: ChangeRequest, content: str, policy: Policy, step_up: StepUp | None) -> bool:
    if step_up is not None and not step_up.proves(actor, request, content):
        raise StepUpRefused("The passkey confirmed something else.")
    if policy.requires_step_up and step_up is None:
        raise StepUpRefused(
            "The policy wants this approval confirmed with a passkey.", next_step="Confirm it with your passkey."
        )
    return step_up is not None


def _state_after(request: ChangeRequest, policy: Policy, vote: Vote, content: str) -> Outcome:
    now = timezone.now()
    if now >= request.expires_at:
        return Outcome.EXPIRED
    return outcome(
        [*votes_of(request), vote],
        barred=barred_from(request),
        needed=max(request.needed_approvals, needed_for(request.kind, policy)),
        expires_at=request.expires_at,
        now=now,
        content=content,
    )


def _check_work(request: ChangeRequest, previews: Sequence[ItemPreview], given: Mapping[str, str]) -> None:
    """Refuse an approval whose work could never be done."""
    for item in previews:
        if item.problem:
            raise item.problem.error
        require_no_lock_out(request, item)
        if item.is_true_already:
            raise Conflict(
                f"That is so in {item.repository or request.account} already.",
                next_step="Withdraw the request, and ask anew for the others.",
            )
    for purpose in passphrases_to_start(request, previews):
        if purpose != SIGNER and not given.get(purpose):
            raise InvalidInput(f"The passphrase of the {purpose.replace('_', ' ')} key is needed to approve this.")


def _carry_out(actor: User, request: ChangeRequest, given: Mapping[str, str]) -> None:
    if request.kind == Kind.CHANGE_POLICY:
        put_policy_in_force(request)
    else:
        start_items(actor, request, given, only_complete=True)


def _tell(event: Event, actor: User, request: ChangeRequest, word: str) -> None:
    items = list(request.items.select_related("repository"))
    announce(
        event,
        subject=f"{actor} {word}: {title_of(request)}.",
        path=addresses.request(request),
        account=request.account,
        repository=items[0].repository if len(items) == 1 else None,
        request=request,
        actor=actor,
        kind=request.kind,
        repositories=[item.repository.gun for item in items],
    )
