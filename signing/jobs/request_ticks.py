"""What time does to requests: some expire, and signers who were let in until a day are taken out on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing import chain, queue
from signing.approvals.keys import passphrases_for
from signing.approvals.opening import open_request
from signing.approvals.previews import Asked, ItemPreview, preview
from signing.endings import end_operation
from signing.models import ChangeRequest, Operation, Repository, SignatureTask

Kind = ChangeRequest.Kind
State = ChangeRequest.State


def expire_requests() -> None:
    """End the requests that nobody decided about in time."""
    late = ChangeRequest.objects.filter(state=State.WAITING, expires_at__lte=timezone.now())
    for request in late.select_related("account", "signer"):
        with transaction.atomic():
            if late.filter(pk=request.pk).update(state=State.EXPIRED):
                _record("expire_request", request, {"request": request.pk})


def expire_signatures() -> None:
    """End the work that waits for signatures nobody gave in time; nothing of it is published."""
    late = SignatureTask.objects.filter(
        state=SignatureTask.State.WAITING,
        expires_at__lte=timezone.now(),
        file__operation__state=Operation.State.NEEDS_SIGNATURE,
    )
    work = Operation.objects.filter(prepared_files__tasks__in=late).distinct()
    for operation in work.select_related("account", "repository", "requested_by"):
        asked = sorted({str(task.key) for task in late.filter(file__operation=operation).select_related("key")})
        rows = Operation.objects.filter(pk=operation.pk, state=Operation.State.NEEDS_SIGNATURE)
        sentence = f"Nobody signed in time with {', '.join(asked)}, so nothing was published."
        with transaction.atomic():
            if not end_operation(
                operation,
                rows,
                Operation.State.FAILED,
                error_code="signature_expired",
                error=sentence,
                next_step="Try again; the holders are asked anew.",
            ):
                continue
            operation.lines.create(text=sentence)
            chain.append(
                actor=None,
                action="expire_signatures",
                account=operation.account,
                subject=str(operation),
                detail={"operation": operation.pk, "repository": str(operation.repository), "keys": asked},
            )


def end_signers() -> None:
    """Ask for the removal of signers whose time is over; remove them at once where that was approved with them.

    At once also takes keys that ask nobody; where one does, leads are asked as for any removal.
    """
    over = ChangeRequest.objects.filter(
        kind=Kind.ADD_SIGNER, state=State.APPROVED, signer_ends_at__lte=timezone.now()
    ).exclude(followed_by__kind=Kind.REMOVE_SIGNER)
    for request in over.select_related("account", "signer__key", "signer__account"):
        with transaction.atomic():
            locked = ChangeRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
            if not locked.followed_by.filter(kind=Kind.REMOVE_SIGNER).exists():
                _end(request)


def _end(request: ChangeRequest) -> None:
    still = list(_still_signing(request))
    at_once = bool(request.parameters.get("removes_itself"))
    unattended = [item for item in still if at_once and _is_unattended(request, item)]
    asked = [item for item in still if item not in unattended]
    if unattended:
        _start(_open(request, unattended, is_approved=True))
    if asked:
        _open(request, asked, is_approved=False)


def _open(request: ChangeRequest, items: list[ItemPreview], *, is_approved: bool) -> ChangeRequest:
    repositories = [item.repository for item in items if item.repository]
    opened = open_request(
        Kind.REMOVE_SIGNER,
        account=request.account,
        requested_by=None,
        repositories=repositories,
        signer=request.signer,
        reason=f"The signer's time ended on {request.signer_ends_at:%Y-%m-%d}, as request {request.pk} says.",
        follows=request,
        is_approved=is_approved,
    )
    guns = [repository.gun for repository in repositories]
    done = {"request": opened.pk, "ended": request.pk, "at_once": is_approved, "repositories": guns}
    _record("end_signer", request, done)
    return opened


def _start(request: ChangeRequest) -> None:
    for item in request.items.select_related("repository"):
        item.operation = Operation.objects.create(
            kind=Operation.Kind.REMOVE_SIGNER,
            step=queue.REMOVE_SIGNER,
            account=request.account,
            repository=item.repository,
            signer=request.signer,
            parameters={"request": request.pk},
        )
        item.save(update_fields=["operation"])
        queue.enqueue(queue.REMOVE_SIGNER, item.operation.pk)


def _still_signing(request: ChangeRequest) -> Iterator[ItemPreview]:
    """Give the request's repositories in which the signer still is one, with what a removal would do."""
    for item in request.items.select_related("repository__account"):
        if _counts(item.repository, request):
            yield preview(Asked(Kind.REMOVE_SIGNER, request.signer), item.repository)


def _counts(repository: Repository, request: ChangeRequest) -> bool:
    """Tell whether the signer is one there still, and no later approval let them stay longer."""
    is_listed = any(entry["name"] == str(request.signer) for entry in repository.signers)
    later = ChangeRequest.objects.filter(
        kind=Kind.ADD_SIGNER, state=State.APPROVED, signer=request.signer, items__repository=repository
    )
    return is_listed and not later.filter(pk__gt=request.pk).exists()


def _is_unattended(request: ChangeRequest, item: ItemPreview) -> bool:
    if item.problem or item.repository is None:
        return False
    return not passphrases_for(Kind.REMOVE_SIGNER, item.repository, request.signer, {}, item.lines)


def _record(action: str, request: ChangeRequest, detail: dict[str, Any]) -> None:
    chain.append(
        actor=None, action=action, account=request.account, subject=str(request.signer or request), detail=detail
    )
