"""End an operation without success, wherever that is decided: a page, a worker or the sweep."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from signing import leases, queue
from signing.models import Operation


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
    operation.secrets.all().delete()
    leases.free(operation)
    if has_staging:
        queue.enqueue(queue.CLEAN_STAGING, operation.pk)
    return True
