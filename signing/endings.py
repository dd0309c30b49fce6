"""End an operation without success, wherever that is decided: a page, a worker or the sweep."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from signing import addresses, ceremonies, leases, queue
from signing.announcing import announce
from signing.errors import Frozen
from signing.models import ChangeRequest, Event, Operation


def end_operation(operation: Operation, rows: QuerySet[Operation], state: str, **fields: Any) -> bool:
    """Write the end, drop the secrets, free the repository and have a staging tag removed.

    `rows` selects the operation's row only while it may be ended; False where it may not any more, and then nothing
    was changed. Call it in a transaction.
    """
    result = fields.pop("result", operation.result)
    has_pushed = operation.step == queue.PUSH and operation.state == Operation.State.RUNNING  # at least begun to
    has_staging = (has_pushed or queue.PUSH in operation.done_steps) and not result.get("signature_stored")
    if has_staging:
        result = {**result, "staging": "left"}
    if not rows.update(state=state, finished_at=timezone.now(), result=result, **fields):
        return False
    if state == Operation.State.FAILED and fields.get("error_code") != Frozen.code:  # the freeze itself is told of once
        _tell_of_failure(operation, str(fields.get("error", "")))
    operation.secrets.all().delete()
    ceremonies.void_tasks(operation)
    leases.free(operation)
    if has_staging:
        queue.enqueue(queue.CLEAN_STAGING, operation.pk)
    return True


def _tell_of_failure(operation: Operation, error: str) -> None:
    where = f" of {operation.repository.gun}" if operation.repository else ""
    announce(
        Event.FAILED,
        subject=f"{operation.get_kind_display()}{where} failed: {error}",
        path=addresses.operation(operation),
        account=operation.account,
        repository=operation.repository,
        request=ChangeRequest.objects.filter(pk=operation.parameters.get("request")).first(),
        actor=operation.requested_by,
        kind=operation.kind,
        operation=operation.pk,
    )
