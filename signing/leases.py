"""One publish per repository at a time, from the staging tag to the public one.

A lease is a column of the repository, taken by a conditional update. Who does not get it stays queued and is handed
over again when it is free.
"""

from __future__ import annotations

from django.db.models import Q

from signing import queue
from signing.models import Operation, Repository


def is_needed(operation: Operation, step: str) -> bool:
    """Tell whether a step waits for the lease. Signing alone does not: the trust server orders publishers."""
    return operation.kind == Operation.Kind.PUBLISH and step in queue.LEASED_STEPS


def take(operation: Operation) -> bool:
    """Take or keep the lease; also from an operation that ended without giving it back."""
    if operation.repository_id is None:
        return False
    mine = Repository.objects.filter(pk=operation.repository_id)
    if mine.filter(Q(lease=None) | Q(lease=operation.pk)).update(lease=operation):
        return True
    holder = mine.values_list("lease_id", flat=True).get()
    if holder is None or not Operation.objects.filter(pk=holder, state__in=Operation.FINISHED).exists():
        return False
    return bool(mine.filter(lease_id=holder).update(lease=operation))


def free(operation: Operation) -> None:
    """Give the lease back, if held, and hand over whoever waits longest for it."""
    if not Repository.objects.filter(lease=operation.pk).update(lease=None):
        return
    waiting = (
        Operation.objects.filter(
            kind=Operation.Kind.PUBLISH,
            repository=operation.repository_id,
            state=Operation.State.QUEUED,
            step__in=queue.LEASED_STEPS,
        )
        .order_by("created_at", "pk")
        .first()
    )
    if waiting:
        queue.enqueue(waiting.step, waiting.pk)
