"""What waits in the queues, as the operations table has it and as Redis has it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import django_rq
from django.db.models import Min
from django.utils import timezone
from redis.exceptions import RedisError
from rq import Worker
from rq.worker import BaseWorker, WorkerStatus

from signing import health, queue
from signing.health import BROKEN, GOOD, WARNING, Kind, Seen
from signing.models import Operation

LONG_WAIT = 600  # seconds; a pull of a large image takes its time
MANY = 1000
BUSY_SECONDS = 45  # a worker at work says every half minute that it lives
STARTED_WITH = "manage.py rqworker --serializer=rq.serializers.JSONSerializer"


def waiting_in(queue_name: str) -> Seen:
    """Tell what waits for one worker by the operations table alone."""
    waiting = Operation.objects.filter(state=Operation.State.QUEUED, step__in=queue.jobs_of(queue_name), run_after=None)
    oldest = waiting.aggregate(oldest=Min("created_at"))["oldest"]
    seconds = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return _judged(queue_name, waiting.count(), seconds, {})


def look_at_queues() -> list[Seen]:
    """Ask Redis how it is, what waits in each queue, and who works there.

    A Redis that does not answer is a finding; its queues are then not told of.
    """
    try:
        return [_broker(), *(_queue(name) for name in health.WORKERS)]
    except RedisError as error:
        return [broken_broker(error)]


def broken_broker(error: Exception) -> Seen:
    """Say that Redis does not answer, and what becomes of the work meanwhile."""
    sentence = (
        f"Redis does not answer ({type(error).__name__}). Nothing is lost: what is asked for now is stored and begins "
        "when it is back."
    )
    step = "Start Redis, or correct REDIS_URL; the queues are filled again from the database within a minute."
    return Seen(Kind.BROKER, "", str(Kind.BROKER.label), BROKEN, sentence, step)


def _broker() -> Seen:
    connection = django_rq.get_connection(queue.SIGNING)
    started = time.perf_counter()
    told = connection.info()
    took = round((time.perf_counter() - started) * 1000, 1)
    policy = str(told.get("maxmemory_policy", ""))
    version, memory = str(told.get("redis_version", "")), int(told.get("used_memory", 0))
    facts = {"version": version, "memory_bytes": memory, "milliseconds": took, "maxmemory_policy": policy}
    title = str(Kind.BROKER.label)
    if policy and policy != "noeviction" and told.get("maxmemory"):
        sentence = f"It may drop work when its memory is full (maxmemory-policy {policy})."
        return Seen(Kind.BROKER, "", title, WARNING, sentence, "Set maxmemory-policy to noeviction.", facts)
    return Seen(Kind.BROKER, "", title, GOOD, f"Version {version} answers in {took:.0f} ms.", facts=facts)


def _queue(name: str) -> Seen:
    waiting = django_rq.get_queue(name)
    workers = Worker.all(queue=waiting)
    ids = waiting.get_job_ids(0, 1)
    first = waiting.fetch_job(ids[0]) if ids else None
    since = first.enqueued_at if first else None
    seconds = (datetime.now(UTC) - since.replace(tzinfo=since.tzinfo or UTC)).total_seconds() if since else 0.0
    busy = sum(_is_busy(worker) for worker in workers)
    return _judged(name, waiting.count, max(0.0, seconds), {"workers": len(workers), "busy": busy})


def _is_busy(worker: BaseWorker) -> bool:
    """Tell whether it works at something now: one that was stopped or killed meanwhile gives no sign of life."""
    seen = worker.last_heartbeat
    if worker.get_state() != WorkerStatus.BUSY or seen is None:
        return False
    return (datetime.now(UTC) - seen.replace(tzinfo=seen.tzinfo or UTC)).total_seconds() < BUSY_SECONDS


def _judged(name: str, count: int, seconds: float, facts: dict[str, int]) -> Seen:
    kept = {**facts, "waiting": count, "oldest_seconds": round(seconds, 1)}
    title = f"{Kind.QUEUE.label} {name}"
    if facts.get("workers") == 0:
        step = f"Start one: {STARTED_WITH} {name}"
        return Seen(Kind.QUEUE, name, title, BROKEN, f"No worker listens to it; {count} wait.", step, kept)
    who = f" {facts['workers']} listening." if facts else ""
    sentence = f"{count} waiting.{who}"
    if seconds > LONG_WAIT or count > MANY:
        sentence = f"{count} waiting, the oldest for {int(seconds // 60)} minutes.{who}"
        return Seen(Kind.QUEUE, name, title, WARNING, sentence, f"Start another worker of the queue {name}.", kept)
    return Seen(Kind.QUEUE, name, title, GOOD, sentence, facts=kept)
