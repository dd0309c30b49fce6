"""What monitoring reads, out of the database: each scrape counts anew, so every web process answers the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain

from django.db.models import Count, Max, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from signing import expiry, health
from signing.health import Kind, Part
from signing.models import Alert, AuditEvent, ChangeRequest, Key, Operation, Repository, SignedTag
from signing.selectors import trust_server_tables

PREFIX = "trustui"


class DatabaseCollector(Collector):
    """Gives every figure; no label holds a name of a person, a key or a secret."""

    def collect(self) -> Iterator[Metric]:
        """Count now."""
        now, parts = timezone.now(), health.parts()
        yield from chain(_work(now), _trust(now), _of_parts(parts, now), _of_queues(parts), _builtin_server())


def registry() -> CollectorRegistry:
    """Give a registry with our collector alone."""
    made = CollectorRegistry()
    made.register(DatabaseCollector())
    return made


def _work(now: datetime) -> Iterator[Metric]:
    rows = Operation.objects.order_by().values_list("kind", "state").annotate(number=Count("pk"))
    yield _family("operations", "Operations by what they are and how far.", ("kind", "state"), rows)
    open_states = (Operation.State.QUEUED, Operation.State.RUNNING)
    waiting = Operation.objects.filter(state__in=open_states).order_by().values_list("state")
    ages = dict(waiting.annotate(oldest=Min("created_at")))
    yield _family(
        "operation_oldest_seconds",
        "Age of the oldest operation that is queued or running; 0 where there is none.",
        ("state",),
        [(state, (now - ages[state]).total_seconds() if state in ages else 0) for state in open_states],
    )
    states = ChangeRequest.objects.order_by().values_list("state").annotate(number=Count("pk"))
    yield _family("requests", "Requests by state; waiting ones wait for people.", ("state",), states)
    newest = AuditEvent.objects.aggregate(newest=Max("number"))["newest"] or 0
    yield _family("audit_events", "Events in the audit log.", (), [(newest,)])


def _trust(now: datetime) -> Iterator[Metric]:
    verdicts = Repository.objects.order_by().values_list("verdict").annotate(number=Count("pk"))
    yield _family("repositories", "Repositories by their verdict.", ("verdict",), verdicts)
    tags = SignedTag.objects.order_by().values_list("verdict").annotate(number=Count("pk"))
    yield _family("signed_tags", "Signed tags by their verdict.", ("verdict",), tags)
    checked = Repository.objects.aggregate(oldest=Min("checked_at"))["oldest"]
    age = (now - checked).total_seconds() if checked else 0
    yield _family("repository_check_oldest_seconds", "Age of the oldest check of a repository.", (), [(age,)])
    alerts = Alert.objects.filter(cleared_at=None).order_by().values_list("kind").annotate(number=Count("pk"))
    yield _family("alerts_open", "Open alerts by kind.", ("kind",), alerts)
    soonest: dict[str, datetime] = {}
    endings = chain(
        expiry.of_metadata(Repository.objects.select_related("account").only("gun", "roles", "account__name")),
        expiry.of_certificates(Key.objects.defer("envelope", "unattended")),
    )
    for ending in endings:
        soonest[str(ending.kind)] = min(ending.ends, soonest.get(str(ending.kind), ending.ends))
    rows = [(kind, (ends - now).total_seconds()) for kind, ends in soonest.items()]
    yield _family("expiry_soonest_seconds", "Time until the next thing of a kind ends.", ("kind",), rows)


def _of_parts(parts: list[Part], now: datetime) -> Iterator[Metric]:
    labels = ("kind", "part")
    named = [(str(part.kind), part.which, part) for part in parts]
    yield _family(
        "part_up",
        "1 where a part works, 0 where it is broken or nobody has looked for a while.",
        labels,
        [(kind, which, int(part.state in (health.GOOD, health.WARNING))) for kind, which, part in named],
    )
    yield _family(
        "part_checked_age_seconds",
        "How long ago somebody looked at a part.",
        labels,
        [(kind, which, (now - part.checked_at).total_seconds()) for kind, which, part in named if part.checked_at],
    )
    yield _family(
        "part_answer_seconds",
        "How long a part took to answer when it was last asked.",
        labels,
        [(k, w, part.facts["milliseconds"] / 1000) for k, w, part in named if "milliseconds" in part.facts],
    )
    yield _family(
        "part_certificate_seconds",
        "Time until the TLS certificate of a part ends.",
        labels,
        [
            (kind, which, (datetime.fromisoformat(part.facts["certificate_ends"]) - now).total_seconds())
            for kind, which, part in named
            if "certificate_ends" in part.facts
        ],
    )
    free = [(part.which, part.facts["free_bytes"]) for part in parts if "free_bytes" in part.facts]
    yield _family("disk_free_bytes", "Free room on the disk of a worker.", ("worker",), free)


def _of_queues(parts: list[Part]) -> Iterator[Metric]:
    queues = [part for part in parts if part.kind == Kind.QUEUE and part.state != health.UNKNOWN]
    for name, says in (
        ("waiting", "How much waits in a queue."),
        ("oldest_seconds", "How long the first in a queue has waited."),
        ("workers", "Workers that listen to a queue."),
    ):
        rows = [(part.which, part.facts[name]) for part in queues if name in part.facts]
        yield _family(f"queue_{name}", says, ("queue",), rows)


def _builtin_server() -> Iterator[Metric]:
    """Count what the built-in trust server stores, where it uses this database; its requests it counts itself."""
    if trust_server_tables.are_here():
        repositories = trust_server_tables.StoredRepository.objects.count()
        versions = trust_server_tables.StoredVersion.objects.count()
        yield _family("trust_server_repositories", "Repositories the built-in server has.", (), [(repositories,)])
        yield _family("trust_server_versions", "Versions of files the built-in server keeps.", (), [(versions,)])


def _family(name: str, says: str, labels: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Metric:
    made = GaugeMetricFamily(f"{PREFIX}_{name}", says, labels=labels)
    for *values, number in rows:
        made.add_metric([str(value) for value in values], float(str(number)))
    return made
