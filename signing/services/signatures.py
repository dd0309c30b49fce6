"""Signatures that holders give on their own machines, or refuse. Nothing here has, or could use, a private key."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from signing import ceremonies, queue
from signing.endings import end_operation
from signing.errors import StaleApproval, TooLate
from signing.freezing import require_not_frozen
from signing.models import Operation, SignatureTask, User
from signing.permissions import require
from signing.selectors.signatures import is_open
from signing.services import audit
from signing.services.work import write_line
from signing.trust.policy.foreign_signature import read_signature
from signing.trust.tuf.keys import PublicKey

State = SignatureTask.State
LONGEST_COMMENT = 500


@transaction.atomic
def give_signature(*, actor: User, task: SignatureTask, signature: bytes, sha256: str | None = None) -> SignatureTask:
    """Take a holder's signature of exactly the bytes that wait; with the last one the work goes on.

    `sha256` names the bytes the holder looked at.

    Raises:
        NotAllowed: it is somebody else's key.
        Frozen: the key or the person is frozen.
        TooLate: it is not asked for any more.
        StaleApproval: other bytes are asked for than the holder looked at.
        WrongSignature: it was made over other bytes, or with another key.
    """
    task = _locked(task)
    file, operation, key = task.file, task.file.operation, task.key
    require(actor, "give_signature", key, at=operation.repository)
    require_not_frozen(key=key)
    require_not_frozen(person=actor)
    _require_open(task)
    if sha256 is not None and sha256.lower() != file.payload_hash:
        raise StaleApproval(
            "What you looked at is not what is asked for now.", next_step="Fetch the request anew, and look again."
        )
    _, form = read_signature(PublicKey.from_pem(key.public_pem), bytes(file.payload), signature)
    _answer(task, actor, State.GIVEN, signature=form)
    key.proved_at = task.answered_at
    key.save(update_fields=["proved_at"])
    write_line(operation, f"{actor} signed {file.role} {file.version} with the key {key.key_id[:12]}.")
    goes_on = ceremonies.is_complete(operation)
    if goes_on:
        _go_on(operation)
    audit.record(
        actor,
        "give_signature",
        account=operation.account,
        subject=key,
        operation=operation.pk,
        repository=str(operation.repository),
        role=file.role,
        version=file.version,
        sha256=file.payload_hash,
        key=key.key_id,
        custody=key.custody,
        is_last=goes_on,
    )
    return task


@transaction.atomic
def refuse_signature(*, actor: User, task: SignatureTask, comment: str = "") -> SignatureTask:
    """Say no to what is to be signed, which ends the work; nothing of it is published."""
    task = _locked(task)
    file, operation, key = task.file, task.file.operation, task.key
    require(actor, "give_signature", key, at=operation.repository)
    _require_open(task)
    comment = " ".join(comment.split())[:LONGEST_COMMENT]
    _answer(task, actor, State.REFUSED, comment=comment)
    rows = Operation.objects.filter(pk=operation.pk, state=Operation.State.NEEDS_SIGNATURE)
    sentence = f"{actor} refused to sign {file.role} {file.version}{f': {comment}' if comment else ''}."
    end_operation(
        operation,
        rows,
        Operation.State.FAILED,
        error_code="signature_refused",
        error=f"{sentence} Nothing was published.",
        next_step="Ask the holder why; start anew once that is settled.",
    )
    write_line(operation, f"{sentence} Nothing was published.")
    audit.record(
        actor,
        "refuse_signature",
        account=operation.account,
        subject=key,
        reason=comment,
        operation=operation.pk,
        repository=str(operation.repository),
        role=file.role,
        version=file.version,
        sha256=file.payload_hash,
        key=key.key_id,
        custody=key.custody,
    )
    return task


def _locked(task: SignatureTask) -> SignatureTask:
    """Read the task anew and keep its operation's row until the transaction ends: two answers never meet."""
    Operation.objects.select_for_update(of=("self",)).get(prepared_files__tasks=task.pk)
    return SignatureTask.objects.select_related(
        "file__operation__account",
        "file__operation__repository__account",
        "file__operation__requested_by",
        "key__owner",
    ).get(pk=task.pk)


def _require_open(task: SignatureTask) -> None:
    if is_open(task):
        return
    if task.state == State.GIVEN:
        raise TooLate("This is signed already.")
    if task.state == State.WAITING and task.expires_at <= timezone.now():
        raise TooLate(f"The time to sign this ended on {task.expires_at:%Y-%m-%d}.", next_step="Have it started anew.")
    raise TooLate(
        "This signature is not asked for any more.", next_step="Look what waits for you now: trustctl requests."
    )


def _answer(task: SignatureTask, actor: User, state: State, **fields: object) -> None:
    for name, value in {"state": state, "answered_by": actor, "answered_at": timezone.now(), **fields}.items():
        setattr(task, name, value)
    task.save(update_fields=["state", "answered_by", "answered_at", *fields])


def _go_on(operation: Operation) -> None:
    """Queue the step that waits; whoever has not signed yet need not any more."""
    waiting = Operation.objects.filter(pk=operation.pk, state=Operation.State.NEEDS_SIGNATURE)
    if waiting.update(state=Operation.State.QUEUED):
        ceremonies.void_tasks(operation)
        write_line(operation, "Enough holders have signed; the work goes on.")
        queue.enqueue(operation.step, operation.pk)
