"""Start queued work: the row, its sealed secrets and its place in the queue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from signing import queue, sealing
from signing.errors import TooLate
from signing.freezing import require_work_not_frozen
from signing.models import Account, Key, Operation, OperationLine, Repository, SealedSecret, Signer, User

SECRET_LIFETIME = timedelta(minutes=15)  # a queue that is slower than this asks the person again


def start_operation(
    kind: Operation.Kind,
    *,
    actor: User,
    account: Account | None,
    repository: Repository | None = None,
    key: Key | None = None,
    signer: Signer | None = None,
    parameters: dict[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Operation:
    """Write the row, seal its secrets and hand it to its first step's queue; the caller authorised it.

    Raises:
        Frozen: its key, its account or one of its people is frozen.
    """
    operation = Operation(
        kind=kind,
        account=account,
        repository=repository,
        key=key,
        signer=signer,
        requested_by=actor,
        parameters=parameters or {},
    )
    require_work_not_frozen(operation)
    operation.step = queue.steps_of(operation)[0]
    operation.save()
    for purpose, secret in (secrets or {}).items():
        keep_secret(operation, purpose, secret)
    queue.enqueue(operation.step, operation.pk)
    return operation


def restart_operation(operation: Operation, *, actor: User, secrets: Mapping[str, str]) -> str:
    """Queue a failed operation again and give the step it begins with; the caller authorised it.

    A publish whose signature is stored goes on with moving the tag; everything else starts over.

    Raises:
        TooLate: it has not failed.
        Frozen: its key, its account or one of its people is frozen.
    """
    require_work_not_frozen(operation)
    resumes = operation.kind == Operation.Kind.PUBLISH and operation.is_signature_stored
    step = queue.RELEASE if resumes else queue.steps_of(operation)[0]
    restarted = Operation.objects.filter(pk=operation.pk, state=Operation.State.FAILED).update(
        state=Operation.State.QUEUED,
        step=step,
        done_steps=operation.done_steps if resumes else [],
        result=operation.result if resumes else {},
        layers={},
        error_code="",
        error="",
        next_step="",
        attempts=0,
        run_after=None,
        cancel_requested=False,
        finished_at=None,
    )
    if not restarted:
        raise TooLate("Only a failed operation can be tried again.")
    operation.secrets.all().delete()
    for purpose, secret in secrets.items():
        keep_secret(operation, purpose, secret)
    operation.refresh_from_db()
    write_line(operation, f"Tried again by {actor}, beginning with {step}.")
    queue.enqueue(step, operation.pk)
    return step


def keep_secret(operation: Operation, purpose: str, secret: str) -> None:
    """Seal one secret for the signing worker, bound to this operation and purpose."""
    context = sealing.operation_context(operation.pk, purpose)
    SealedSecret.objects.create(
        operation=operation,
        purpose=purpose,
        box=sealing.seal("signing", secret.encode(), context),
        expires_at=timezone.now() + SECRET_LIFETIME,
    )


def write_line(operation: Operation, text: str) -> None:
    OperationLine.objects.create(operation=operation, text=text)
