"""Claim a step, keep its row alive, and write how it ended.

A claim is a conditional update from queued to running; its time is the token that every later update asks for, so
that a worker that was given up for lost can no longer write.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from signing import leases, queue
from signing.endings import end_operation
from signing.freezing import require_work_not_frozen
from signing.jobs.heartbeat import beating
from signing.models import Operation, OperationLine
from signing.trust.errors import TrustError

PROGRESS_INTERVAL = 0.3  # seconds between two writes of the layers
MOST_LAYERS = 300
RELEASE_ATTEMPTS = 5
RELEASE_WAITS = (10, 30, 60, 120)  # seconds before each further attempt
CANCELLABLE = (queue.RESOLVE, queue.PULL, queue.PUSH)
TRANSFERS = (queue.PULL, queue.PUSH)

_log = structlog.get_logger(__name__)


class Cancelled(Exception):
    """A person asked to stop; raised at a point where stopping is safe."""


class Waiting(Exception):
    """The step is over for now: people have to do something first, and the row says that it waits for them."""


class ClaimLost(Exception):
    """The step was given to another worker, or the operation was ended meanwhile."""


def due(now: datetime) -> Q:
    """Select operations that do not wait for a later time."""
    return Q(run_after=None) | Q(run_after__lte=now)


def perform(step: str, operation_id: int, work: Callable[[Run], None]) -> None:
    """Claim the step and do it; every way it can end is written on the row."""
    run = Run.claim(step, operation_id)
    if run is None:
        return  # finished, not due, waiting for its repository, or another worker has it
    try:
        _attempt(run, work)
    except ClaimLost:
        _log.warning("operation.claim_lost", operation=operation_id, step=step)


def _attempt(run: Run, work: Callable[[Run], None]) -> None:
    operation_id, step = run.operation.pk, run.step
    try:
        require_work_not_frozen(run.operation)
        with beating(run.beat):
            work(run)
        run.complete()
    except ClaimLost:
        raise
    except Waiting:
        return
    except Cancelled:
        run.cancel()
    except TrustError as error:
        run.fail(error.code, error.message, error.next_step)
    except JobTimeoutException:
        run.fail(
            "timeout",
            f"The step {step} took longer than {queue.JOB_TIMEOUT // 60} minutes and was stopped.",
            "Check the connection to the registry and the trust server, then try again.",
        )
    except Exception as error:
        _log.exception("operation.broke", operation=operation_id, step=step)
        run.fail(
            "internal",
            f"Something unexpected went wrong in the step {step} ({type(error).__name__}).",
            f"Look at the worker's log for operation {operation_id}, then try again.",
        )


class Run:
    """One claimed step of one operation."""

    def __init__(self, operation: Operation, step: str) -> None:
        self.operation = operation
        self.step = step
        self.result: dict[str, Any] = operation.result
        self._token = operation.claimed_at
        self._layers: dict[str, dict[str, Any]] = {}
        self._written_at = 0.0

    @classmethod
    def claim(cls, step: str, operation_id: int) -> Run | None:
        """Take the step if it waits; None where there is nothing to take."""
        now = timezone.now()
        with transaction.atomic():
            waiting = Operation.objects.filter(due(now), pk=operation_id, state=Operation.State.QUEUED, step=step)
            if not waiting.update(state=Operation.State.RUNNING, claimed_at=now, alive_at=now, run_after=None):
                return None
            operation = Operation.objects.select_related(
                "account__trust_server", "repository__account__trust_server", "key", "signer__key", "requested_by"
            ).get(pk=operation_id)
            if leases.is_needed(operation, step) and not leases.take(operation):
                transaction.set_rollback(True)
                return None
            if step in TRANSFERS:
                Operation.objects.filter(pk=operation_id).update(layers={})
        return cls(operation, step)

    def say(self, text: str) -> None:
        """Add one line to the log people read."""
        OperationLine.objects.create(operation=self.operation, text=text)

    def progress(self, layer: str, status: str, current: int, total: int) -> None:
        """Note one layer's progress, written at most every 300 ms. What is about the whole image is a line.

        Raises:
            Cancelled: a person asked to stop.
            ClaimLost: another worker has the step now.
        """
        if not layer:
            self.say(status)
            return
        if layer in self._layers or len(self._layers) < MOST_LAYERS:
            self._layers[layer] = {"status": status, "current": current, "total": total}
        if monotonic() - self._written_at >= PROGRESS_INTERVAL:
            self.keep_alive()

    def keep_alive(self) -> None:
        """Show that the worker lives, and what it has transferred; stop here if a person asked to."""
        self._written_at = monotonic()
        fields: dict[str, Any] = {"alive_at": timezone.now()}
        if self._layers:
            fields["layers"] = self._layers
        if not self._mine().update(**fields):
            raise ClaimLost
        if self._is_cancel_requested():
            raise Cancelled

    def beat(self) -> bool:
        """Show that the worker lives; False once the step is not its own any more. Called by another thread."""
        return bool(self._mine().update(alive_at=timezone.now()))

    def save_result(self) -> None:
        """Write what was found out so far, before anything else can go wrong."""
        if not self._mine().update(result=self.result, alive_at=timezone.now()):
            raise ClaimLost

    def complete(self) -> None:
        """Go on to the next step, or finish."""
        with transaction.atomic():
            following = queue.step_after(self.operation, self.step)
            if following and self._is_cancel_requested():
                raise Cancelled
            fields = self._kept() | {"done_steps": [*self.operation.done_steps, self.step], "attempts": 0}
            fields |= {"error_code": "", "error": "", "next_step": ""}
            if following:
                self._leave(Operation.State.QUEUED, step=following, **fields)
                queue.enqueue(following, self.operation.pk)
            else:
                self._leave(Operation.State.DONE, finished_at=timezone.now(), **fields)
                leases.free(self.operation)

    def wait(self) -> None:
        """Wait for signatures without a worker and without the repository; call it in a transaction, as the last."""
        self._leave(Operation.State.NEEDS_SIGNATURE, **self._kept(), attempts=0)
        leases.free(self.operation)

    def cancel(self) -> None:
        """End as a person asked."""
        with transaction.atomic():
            self.say("Stopped as asked; nothing was published.")
            self._end(Operation.State.CANCELLED)

    def fail(self, code: str, sentence: str, next_step: str) -> None:
        """Write why it failed. Moving the public tag is tried again a few times first: it may follow a signature."""
        fields: dict[str, Any] = {"error_code": code, "error": sentence, "next_step": next_step}
        attempts = self.operation.attempts + 1
        with transaction.atomic():
            self.say(sentence)
            if self.step == queue.RELEASE and attempts < RELEASE_ATTEMPTS:
                wait = timedelta(seconds=RELEASE_WAITS[attempts - 1])
                self.say(f"Tried again in {wait.seconds} seconds.")
                fields |= {"attempts": attempts, "run_after": timezone.now() + wait}
                self._leave(Operation.State.QUEUED, **self._kept(), **fields)
            else:
                self._end(Operation.State.FAILED, attempts=attempts, **fields)

    def _end(self, state: Operation.State, **fields: Any) -> None:
        if not end_operation(self.operation, self._mine(), state, **self._kept(), **fields):
            raise ClaimLost

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = {"result": self.result, "claimed_at": None, "alive_at": None}
        if self._layers:
            kept["layers"] = self._layers
        return kept

    def _leave(self, state: Operation.State, **fields: Any) -> None:
        if not self._mine().update(state=state, **fields):
            raise ClaimLost

    def _mine(self) -> Any:
        return Operation.objects.filter(pk=self.operation.pk, state=Operation.State.RUNNING, claimed_at=self._token)

    def _is_cancel_requested(self) -> bool:
        return self.step in CANCELLABLE and self._mine().filter(cancel_requested=True).exists()
