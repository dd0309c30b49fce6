"""Change, withdraw or renew what was asked for. Whatever changes voids the approvals given before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from signing.approvals.content import content_hash
from signing.approvals.opening import keep_previews, lines_of, needed_for, open_request, previews_of
from signing.approvals.policies import strictest
from signing.approvals.previews import ItemPreview
from signing.errors import Conflict, NotAllowed, TooLate
from signing.models import ChangeRequest, ChangeRequestItem, Operation, Repository, User
from signing.permissions import acting_token, require
from signing.selectors.requests import ASKING
from signing.services import audit
from signing.services.requests.asking import require_something_to_do
from signing.services.requests.locking import locked, require_waiting
from signing.trust.errors import InvalidInput

Kind = ChangeRequest.Kind
RENEWED = (ChangeRequest.State.WAITING, ChangeRequest.State.EXPIRED, ChangeRequest.State.APPROVED)
MANY = (Kind.ADD_SIGNER, Kind.REMOVE_SIGNER, Kind.ROTATE)


@transaction.atomic
def note_changes(request: ChangeRequest) -> ChangeRequest:
    """Write what a request that waits would do now, if a repository changed since; approvals of before count no more.

    It is worked out anew from what is stored and changes nothing that anybody asked or decided, so it is no act.
    """
    request = locked(request)
    look_again(request)
    return request


def look_again(request: ChangeRequest) -> list[ItemPreview]:
    """Do so with a request that was just read, and give what it would do; nothing for one that does not wait."""
    if request.state != ChangeRequest.State.WAITING:
        return []
    previews = previews_of(request)
    if content_hash(request, lines_of(previews)) != request.content_hash:
        with transaction.atomic():
            if locked(request).state == ChangeRequest.State.WAITING:  # what is decided stays as it was decided
                keep_previews(request, previews)
    return previews


@transaction.atomic
def withdraw_request(*, actor: User, request: ChangeRequest) -> ChangeRequest:
    """Take back a request nobody has decided about; its approvals so far lead to nothing."""
    request = locked(request)
    require(actor, "withdraw_request", request)
    require_waiting(request)
    request.state = ChangeRequest.State.WITHDRAWN
    request.save(update_fields=["state"])
    audit.record(
        actor,
        "withdraw_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
    )
    return request


@transaction.atomic
def change_request(
    *, actor: User, request: ChangeRequest, repositories: Sequence[Repository], reason: str | None = None
) -> ChangeRequest:
    """Ask for other repositories than before. Only the one who asked may, and nobody's approval stays.

    Raises:
        NotAllowed: somebody else asked.
        Conflict: the request is about one thing, or about all of the account.
    """
    request = locked(request)
    require_own(actor, request)
    require_waiting(request)
    if request.kind not in MANY:
        raise Conflict("This request cannot be changed.", next_step="Withdraw it, and ask anew.")
    wanted = list(dict.fromkeys(repositories))
    if not wanted or any(repository.account_id != request.account_id for repository in wanted):
        raise InvalidInput(f"Choose repositories of {request.account}.")
    for repository in wanted:
        require(actor, ASKING[request.kind], repository)
    before = sorted(request.items.values_list("repository__gun", flat=True))
    request.items.exclude(repository__in=wanted).delete()
    have = set(request.items.values_list("repository", flat=True))
    ChangeRequestItem.objects.bulk_create(
        ChangeRequestItem(request=request, repository=repository) for repository in wanted if repository.pk not in have
    )
    policy = strictest(request.account, wanted)
    request.needed_approvals = needed_for(request.kind, policy)
    request.reason = request.reason if reason is None else reason
    request.save(update_fields=["needed_approvals", "reason"])
    require_something_to_do(request)
    keep_previews(request, previews_of(request))
    audit.record(
        actor,
        "change_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
        before=before,
        after=sorted(repository.gun for repository in wanted),
    )
    return request


def require_own(actor: User, request: ChangeRequest) -> None:
    """Raise unless this is the one who asked.

    Raises:
        NotAllowed: somebody else asked.
    """
    if request.requested_by_id != actor.pk:
        raise NotAllowed("Only the one who asked changes a request.", next_step="Ask for something of your own.")


@transaction.atomic
def renew_request(*, actor: User, request: ChangeRequest) -> ChangeRequest:
    """Ask anew for what an expired request, or one whose work was refused or failed, still lacks.

    It is another request, of this person, which nobody has approved yet; one that still waits is withdrawn for it.

    Raises:
        TooLate: everything is done or being done.
    """
    request = locked(request)
    if request.state == ChangeRequest.State.WAITING and timezone.now() < request.expires_at:
        raise Conflict("This request still waits for its decision.", next_step="Have it decided, or withdraw it.")
    unfinished = {*Operation.State.values} - {Operation.State.FAILED, Operation.State.CANCELLED}
    items = request.items.select_related("repository__account", "operation")
    left = [item.repository for item in items if not item.operation or item.operation.state not in unfinished]
    action = ASKING[request.kind]
    if request.state not in RENEWED:
        raise TooLate(f"The request is {request.state}.", next_step="Ask for it with a request of its own.")
    for repository in left:
        require(actor, action, repository)
    if not left:
        require(actor, action, request.account)
    if not left and request.state == ChangeRequest.State.APPROVED:
        raise TooLate("Everything it asks for is done, or being done.")
    ends_at = request.signer_ends_at
    if ends_at is not None and ends_at < timezone.now() + timedelta(minutes=1):
        raise TooLate("The signer's end is over.", next_step="Ask for the signer with another end.")
    fresh = open_request(
        Kind(request.kind),
        account=request.account,
        requested_by=actor,
        repositories=left,
        signer=request.signer,
        parameters=request.parameters,
        reason=request.reason,
        ends_at=ends_at,
        asked_through=acting_token(actor),
        follows=request,
    )
    require_something_to_do(fresh)
    audit.record(
        actor,
        "renew_request",
        account=request.account,
        subject=fresh.signer or fresh,
        request=fresh.pk,
        renews=request.pk,
        repositories=[repository.gun for repository in left],
    )
    return fresh
