"""Names of jobs and the queue each one waits in.

The names are kept in Redis between deploys: treat them as public. A job's only argument is an operation's id.
Jobs are named by text, so that the web side never imports code that can open a key.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextvars import ContextVar

import django_rq
import structlog
from django.conf import settings
from django.db import transaction
from redis.exceptions import RedisError
from rq.job import Job

from signing.models import Operation

SIGNING = "signing"  # has keys and no Docker socket
DOCKER = "docker"  # has the socket and no keys
NOTICES = "notices"  # sends mails and webhooks, and has neither

RESOLVE = "resolve"
PULL = "pull"
PUSH = "push"
SIGN = "sign"
RELEASE = "release"
ADD_SIGNER = "add_signer"
REMOVE_SIGNER = "remove_signer"
REVOKE = "revoke"
ROTATE = "rotate"
REPLACE_KEY = "replace_key"
GENERATE_KEY = "generate_key"
IMPORT_KEY = "import_key"
ENROL_KEY = "enrol_key"
MAKE_CSR = "make_csr"
REFRESH = "refresh"
IMPORT_TRUST = "import_trust"
EXPORT_TRUST = "export_trust"
CLEAN_STAGING = "clean_staging"
CHECK_REGISTRY = "check_registry"

QUEUES = {
    RESOLVE: SIGNING,
    PULL: DOCKER,
    PUSH: DOCKER,
    SIGN: SIGNING,
    RELEASE: DOCKER,
    ADD_SIGNER: SIGNING,
    REMOVE_SIGNER: SIGNING,
    REVOKE: SIGNING,
    ROTATE: SIGNING,
    REPLACE_KEY: SIGNING,
    GENERATE_KEY: SIGNING,
    IMPORT_KEY: SIGNING,
    ENROL_KEY: SIGNING,
    MAKE_CSR: SIGNING,
    REFRESH: SIGNING,
    IMPORT_TRUST: SIGNING,
    EXPORT_TRUST: SIGNING,
    CLEAN_STAGING: DOCKER,
    CHECK_REGISTRY: DOCKER,
}

VERSIONS = "versions"  # status of a transfer that counts versions of files instead of bytes

LEASED_STEPS = (PUSH, SIGN, RELEASE)  # of a publish: they wait until no other publish is between them

JOB_TIMEOUT = 3600  # an image of many gigabytes over a slow line; the sweep notices a lost worker long before

TICK_TIMEOUT = 600

_away: ContextVar[bool] = ContextVar("queue_away", default=False)

QUEUE_AWAY = "The queue does not answer now. This is stored, and begins by itself when the queue is back."

_log = structlog.get_logger(__name__)


def steps_of(operation: Operation) -> list[str]:
    """List the steps of an operation in their order."""
    kind = Operation.Kind(operation.kind)
    if kind == Operation.Kind.PUBLISH:
        steps = [] if operation.parameters.get("from_local") else [RESOLVE, PULL]
        steps.append(PUSH)
        if operation.parameters.get("sign", True):
            steps.append(SIGN)
        return [*steps, RELEASE]
    if kind == Operation.Kind.PULL:
        return [RESOLVE, PULL]
    if kind == Operation.Kind.REFRESH:
        return [REFRESH, CHECK_REGISTRY]
    return [kind.value]


def step_after(operation: Operation, step: str) -> str | None:
    """Tell which step follows; None after the last one."""
    steps = steps_of(operation)
    position = steps.index(step) + 1
    return steps[position] if position < len(steps) else None


def enqueue(job_name: str, operation_id: int) -> None:
    """Hand an operation to the worker of its job, once the row it stands in is committed.

    A queue that does not answer is logged and nothing more: the row is the truth, and the sweep hands over again
    what the queue does not hold.
    """
    if settings.TRUSTUI_QUEUE == "rq":
        transaction.on_commit(lambda: _enqueue_now(job_name, operation_id))


def enqueue_tick(name: str, queue_name: str) -> Job:
    """Hand over one tick now. A tick that was missed is never made up for."""
    return django_rq.get_queue(queue_name).enqueue(
        f"signing.jobs.{name}",
        job_id=f"tick-{name}-{uuid.uuid4().hex}",
        job_timeout=TICK_TIMEOUT,
        ttl=300,
        result_ttl=0,
        failure_ttl=3600,
    )


def held_jobs(queue_name: str) -> set[tuple[str, int]]:
    """List job name and operation id of what the broker holds for a queue and has not handed out."""
    held = set()
    for job_id in django_rq.get_queue(queue_name).get_job_ids():
        kind, _, rest = job_id.partition("-")
        if kind == "operation":
            operation_id, name, _ = rest.split("-", 2)
            held.add((name, int(operation_id)))
    return held


def jobs_of(queue_name: str) -> Collection[str]:
    """List the job names of one queue."""
    return [name for name, queue in QUEUES.items() if queue == queue_name]


def was_away() -> bool:
    """Tell, once, whether this request handed something over that the queue did not take."""
    found = _away.get()
    _away.set(False)
    return found


def _enqueue_now(job_name: str, operation_id: int) -> None:
    try:
        django_rq.get_queue(QUEUES[job_name]).enqueue(
            f"signing.jobs.{job_name}",
            operation_id,
            # readable for the sweep, and never the same twice: a job that ends removes its id
            job_id=f"operation-{operation_id}-{job_name}-{uuid.uuid4().hex}",
            job_timeout=JOB_TIMEOUT,
            result_ttl=0,
            failure_ttl=86400,
        )
    except RedisError as error:
        _log.warning("queue.unreachable", job=job_name, operation=operation_id, reason=type(error).__name__)
        for operation in Operation.objects.filter(pk=operation_id):
            operation.lines.get_or_create(text=QUEUE_AWAY)
        _away.set(True)
