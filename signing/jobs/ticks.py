"""What runs by the clock: tidy up, look at the Engine."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from signing import queue, wiring
from signing.endings import end_operation
from signing.jobs.heartbeat import LOST_AFTER
from signing.jobs.request_ticks import expire_requests, expire_signatures
from signing.jobs.run import RELEASE_ATTEMPTS, due
from signing.models import EngineStatus, Operation, SealedSecret
from signing.trust.errors import TrustError

MOST_LOSSES = 3
HANDED_OVER_WITHIN = timedelta(seconds=30)  # a younger row may just be on its way into the queue

State = Operation.State
_log = structlog.get_logger(__name__)


def sweep() -> None:
    """Put right what died on the way: expired secrets, lost workers, lost queue entries, old requests."""
    _expire_secrets()
    _recover_lost()
    expire_requests()
    expire_signatures()
    _hand_over_again()


def engine_status() -> None:
    """Write whether the Docker Engine answers, and what images it has."""
    try:
        with wiring.engine() as engine:
            info = engine.status()
        images = [name for name in info.images if f":{Operation.STAGING_TAG}" not in name]
        fields = {"is_available": True, "version": info.version, "reason": "", "images": images}
    except TrustError as error:
        fields = {"is_available": False, "reason": f"{error.message} {error.next_step}", "images": []}
    EngineStatus.objects.update_or_create(pk=1, defaults=fields)


def _expire_secrets() -> None:
    """Delete what waited too long, and fail the operations that waited for it."""
    expired = SealedSecret.objects.filter(expires_at__lte=timezone.now())
    waiting = Operation.objects.filter(state=State.QUEUED, secrets__in=expired).distinct()
    for operation in waiting:
        _end_quietly(
            operation,
            State.QUEUED,
            error_code="secret_gone",
            error="The passphrase waited too long in the queue and was deleted.",
            next_step="Try again and type the passphrase anew; check that the workers run.",
        )
    SealedSecret.objects.filter(expires_at__lte=timezone.now()).delete()


def _recover_lost() -> None:
    """Give steps of workers that died back to the queue; one that keeps killing its worker fails."""
    for operation in Operation.objects.filter(state=State.RUNNING, alive_at__lt=timezone.now() - LOST_AFTER):
        most = RELEASE_ATTEMPTS if operation.step == queue.RELEASE else MOST_LOSSES
        if operation.attempts + 1 >= most:
            _end_quietly(
                operation,
                State.RUNNING,
                error_code="worker_lost",
                error=f"The step {operation.step} broke off {most} times, the last time because its worker died.",
                next_step="Look at the worker's log, then try again.",
            )
            continue
        mine = Operation.objects.filter(pk=operation.pk, state=State.RUNNING, claimed_at=operation.claimed_at)
        if mine.update(state=State.QUEUED, claimed_at=None, alive_at=None, attempts=operation.attempts + 1):
            operation.lines.create(text=f"The worker was lost in the step {operation.step}; it is queued again.")
            queue.enqueue(operation.step, operation.pk)


def _end_quietly(operation: Operation, state: State, **fields: str) -> None:
    rows = Operation.objects.filter(pk=operation.pk, state=state, claimed_at=operation.claimed_at)
    with transaction.atomic():
        if end_operation(operation, rows, State.FAILED, **fields):
            operation.lines.create(text=fields["error"])


def _hand_over_again() -> None:
    """Enqueue what the table says is queued and the broker does not hold: the table is the truth."""
    if settings.TRUSTUI_QUEUE != "rq":
        return
    held = queue.held_jobs(queue.SIGNING) | queue.held_jobs(queue.DOCKER)
    now = timezone.now()
    waiting = Operation.objects.filter(due(now), state=State.QUEUED, created_at__lt=now - HANDED_OVER_WITHIN)
    left = Operation.objects.filter(state__in=Operation.FINISHED, result__staging="left")
    jobs = [
        *waiting.values_list("step", "pk"),
        *((queue.CLEAN_STAGING, pk) for pk in left.values_list("pk", flat=True)),
    ]
    for job in jobs:
        if job not in held:
            queue.enqueue(*job)
