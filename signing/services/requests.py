"""Signer requests: asking, approving and rejecting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from signing.errors import Conflict, TooLate
from signing.models import ChangeRequest, ChangeRequestItem, Decision, Operation, Repository, Signer, User
from signing.permissions import require
from signing.selectors.requests import missing_administrative_key, passphrases_needed, passphrases_of_item
from signing.services import audit
from signing.services.work import start_operation
from signing.trust.errors import InvalidInput, KeyNotHeld
from signing.trust.policy.quorum import Outcome, Vote, may_vote, outcome

LIFETIME = timedelta(days=14)


@transaction.atomic
def request_signer(
    *, actor: User, signer: Signer, repositories: Sequence[Repository], reason: str = ""
) -> ChangeRequest:
    """Ask that a signer may sign these repositories. Somebody else has to approve it."""
    require(actor, "request_signer", signer)
    if not repositories:
        raise InvalidInput("Choose at least one repository.")
    for repository in repositories:
        _check_askable(signer, repository)
    request = ChangeRequest.objects.create(
        account=signer.account, signer=signer, reason=reason, requested_by=actor, expires_at=timezone.now() + LIFETIME
    )
    ChangeRequestItem.objects.bulk_create(
        ChangeRequestItem(request=request, repository=repository) for repository in dict.fromkeys(repositories)
    )
    audit.record(
        actor,
        "request_signer",
        account=signer.account,
        subject=signer,
        request=request.pk,
        repositories=[repository.gun for repository in repositories],
    )
    return request


@transaction.atomic
def approve_request(
    *, actor: User, request: ChangeRequest, passphrases: Mapping[str, str] | None = None, comment: str = ""
) -> ChangeRequest:
    """Count one approval; once the quorum is met, queue the delegation of every repository.

    The passphrases come from the one whose approval completes the quorum, and only for keys that ask for one.

    Raises:
        TooLate: It is decided or expired already, or this person decided before.
        KeyNotHeld: The key that has to sign is not on this server.
    """
    request = _open_request(request)
    _require_may_decide(actor, request)
    passphrases = dict(passphrases or {})
    state = _state_after(request, Vote(actor.pk, approves=True))
    if state is Outcome.EXPIRED:
        raise _expired(request)
    if state is Outcome.APPROVED:
        _check_keys(request, passphrases)
    Decision.objects.create(request=request, by=actor, approves=True, comment=comment)
    if state is Outcome.APPROVED:
        request.state = ChangeRequest.State.APPROVED
        request.save(update_fields=["state"])
        for item in request.items.select_related("repository"):
            _queue_delegation(actor, request, item, passphrases)
    audit.record(
        actor,
        "approve_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
        is_last=state is Outcome.APPROVED,
        comment=comment,
    )
    return request


@transaction.atomic
def reject_request(*, actor: User, request: ChangeRequest, comment: str = "") -> ChangeRequest:
    """Say no, which ends the request."""
    request = _open_request(request)
    _require_may_decide(actor, request)
    if _state_after(request, Vote(actor.pk, approves=False)) is Outcome.EXPIRED:
        raise _expired(request)
    Decision.objects.create(request=request, by=actor, approves=False, comment=comment)
    request.state = ChangeRequest.State.REJECTED
    request.save(update_fields=["state"])
    audit.record(
        actor,
        "reject_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
        comment=comment,
    )
    return request


def _check_askable(signer: Signer, repository: Repository) -> None:
    if repository.account_id != signer.account_id:
        raise InvalidInput(f"{repository.gun} is not a repository of {signer.account}.")
    if any(entry["name"] == signer.name and signer.key.key_id in entry["keys"] for entry in repository.signers):
        raise Conflict(f"{signer.name} may sign {repository.gun} already.", next_step="Leave this repository out.")
    waiting = ChangeRequestItem.objects.filter(
        repository=repository,
        request__signer=signer,
        request__state=ChangeRequest.State.WAITING,
        request__expires_at__gt=timezone.now(),
    ).first()
    if waiting:
        raise Conflict(
            f"{signer.name} is asked for on {repository.gun} already, in request {waiting.request_id}.",
            next_step="Wait for its decision.",
        )


def _open_request(request: ChangeRequest) -> ChangeRequest:
    """Lock the request's row, so that two decisions never meet."""
    return (
        ChangeRequest.objects.select_for_update(of=("self",))
        .select_related("account", "signer__account", "signer__key", "requested_by")
        .get(pk=request.pk)
    )


def _require_may_decide(actor: User, request: ChangeRequest) -> None:
    require(actor, "decide_request", request)
    if request.state != ChangeRequest.State.WAITING:
        raise TooLate(f"The request is {request.state} already.")
    if not may_vote(actor.pk, _votes(request), requester=request.requested_by_id):
        raise TooLate("You decided about this request already.", next_step="Another lead has to decide now.")


def _votes(request: ChangeRequest) -> list[Vote]:
    return [Vote(decision.by_id, decision.approves) for decision in request.decisions.all()]


def _state_after(request: ChangeRequest, vote: Vote) -> Outcome:
    now = timezone.now()
    if now >= request.expires_at:
        return Outcome.EXPIRED
    return outcome(
        [*_votes(request), vote],
        requester=request.requested_by_id,
        needed=request.needed_approvals,
        expires_at=request.expires_at,
        now=now,
    )


def _expired(request: ChangeRequest) -> TooLate:
    return TooLate(f"The request expired on {request.expires_at:%Y-%m-%d}.", next_step="Ask for the signer again.")


def _check_keys(request: ChangeRequest, passphrases: Mapping[str, str]) -> None:
    """Refuse an approval whose work could never be done."""
    for item in request.items.select_related("repository__account"):
        if problem := missing_administrative_key(item.repository):
            raise KeyNotHeld(problem.sentence, next_step=problem.next_step)
    for purpose in passphrases_needed(request):
        if not passphrases.get(purpose):
            raise InvalidInput(f"The passphrase of the {purpose} key is needed to approve this.")


def _queue_delegation(
    actor: User, request: ChangeRequest, item: ChangeRequestItem, passphrases: Mapping[str, str]
) -> None:
    needed = passphrases_of_item(item)
    item.operation = start_operation(
        Operation.Kind.ADD_SIGNER,
        actor=actor,
        account=request.account,
        repository=item.repository,
        signer=request.signer,
        key=request.signer.key if request.signer else None,
        parameters={"request": request.pk},
        secrets={purpose: passphrases[purpose] for purpose in needed},
    )
    item.save(update_fields=["operation"])
