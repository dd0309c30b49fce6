"""What is known about the parts of the installation, and what it is worth now.

Each part is looked at by a process that reaches it (its reporter), which writes a row each time (`report`). Pages read
rows only. A row that nobody renewed says less the older it is: `parts` tells of silence instead of what was true once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from signing.models import PartHealth

MISSED_LOOKS = 3
MOST_GRACE = 10  # seconds
SCHEDULER = "scheduler"
WORKERS = ("signing", "docker", "notices")

GOOD, WARNING, BROKEN = PartHealth.State.GOOD, PartHealth.State.WARNING, PartHealth.State.BROKEN
UNKNOWN = "unknown"


class Kind(TextChoices):
    """What a part is; the order is that of pages."""

    DATABASE = "database", gettext_lazy("Database")
    MIGRATIONS = "migrations", gettext_lazy("Database tables")
    BROKER = "broker", gettext_lazy("Redis")
    SCHEDULER = "scheduler", gettext_lazy("Scheduler")
    WORKER = "worker", gettext_lazy("Worker")
    QUEUE = "queue", gettext_lazy("Queue")
    TRUST_SERVER = "trust-server", gettext_lazy("Trust server")
    REGISTRY = "registry", gettext_lazy("Registry")
    ENGINE = "engine", gettext_lazy("Docker Engine")
    DOCKER_CLI = "docker-cli", gettext_lazy("docker command")
    CLOCK = "clock", gettext_lazy("Clock")
    DISK = "disk", gettext_lazy("Disk")


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at one part found."""

    kind: Kind
    which: str
    title: str
    state: str = GOOD
    sentence: str = ""
    next_step: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name the part among all: its kind and which one."""
        return f"{self.kind}:{self.which}" if self.which else str(self.kind)


@dataclass(frozen=True, slots=True)
class Part:
    """One part as pages show it: `state` is one of the row's or `unknown`."""

    name: str
    kind: Kind
    title: str
    state: str
    sentence: str
    next_step: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    checked_at: datetime | None = None
    since: datetime | None = None

    @property
    def which(self) -> str:
        return self.name.partition(":")[2]

    @property
    def is_broken(self) -> bool:
        return self.state == BROKEN


def every() -> int:
    """Tell how many seconds lie between two looks at a part."""
    return int(getattr(settings, "HEALTH_EVERY_SECONDS", 30))


def report(reporter: str, found: Iterable[Seen]) -> None:
    """Write what a reporter found; rows of parts that it does not find any more go."""
    now, seen = timezone.now(), list(found)
    with transaction.atomic():
        known = {row.name: row for row in PartHealth.objects.select_for_update().filter(reporter=reporter)}
        for part in seen:
            row = known.pop(part.name, None)
            PartHealth.objects.update_or_create(
                name=part.name,
                defaults={
                    "kind": part.kind,
                    "title": part.title[:300],
                    "state": part.state,
                    "sentence": part.sentence,
                    "next_step": part.next_step,
                    "facts": dict(part.facts),
                    "reporter": reporter,
                    "every": every(),
                    "checked_at": now,
                    "since": row.since if row and row.state == part.state else now,
                },
            )
        PartHealth.objects.filter(pk__in=[row.pk for row in known.values()]).delete()


def parts(now: datetime | None = None) -> list[Part]:
    """List every part with what is known of it now, those that never reported included."""
    now = now or timezone.now()
    rows = {row.name: row for row in PartHealth.objects.all()}
    silent = {row.reporter for row in rows.values() if _is_old(row, now)}
    listed = [_aged(row, rows, silent, now) for row in rows.values()]
    listed += [_absent(kind, which) for kind, which in _expected() if _name(kind, which) not in rows]
    order = list(Kind)
    return sorted(listed, key=lambda part: (order.index(part.kind), part.name))


def worst(listed: Iterable[Part]) -> str:
    """Tell the worst state among parts."""
    states = {part.state for part in listed}
    return next((state for state in (BROKEN, UNKNOWN, WARNING) if state in states), GOOD)


def lasting(span: timedelta) -> str:
    """Say how long something lasted, in the largest unit that fits."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 120:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    if seconds < 2 * 3600:
        return ngettext("%(count)d minute", "%(count)d minutes", seconds // 60) % {"count": seconds // 60}
    if seconds < 2 * 86400:
        return ngettext("%(count)d hour", "%(count)d hours", seconds // 3600) % {"count": seconds // 3600}
    return ngettext("%(count)d day", "%(count)d days", seconds // 86400) % {"count": seconds // 86400}


def title_of(reporter: str) -> str:
    """Say what people call a process that looks at parts."""
    if reporter == SCHEDULER:
        return _("The scheduler")
    return _("The %(queue)s worker") % {"queue": reporter.partition(":")[2]}


def how_to_start(reporter: str) -> str:
    """Say how a process that does not report is brought back."""
    if reporter == SCHEDULER:
        return _("Start it (manage.py run_schedule, exactly one), or look into its log why it does not go on.")
    queue = reporter.partition(":")[2]
    command = f"manage.py {'rqworker' if settings.TRUSTUI_QUEUE == 'rq' else 'poll_worker'} {queue}"
    return _("Start one (%(command)s), or look into its log why it does not go on.") % {"command": command}


def worker(queue_name: str) -> str:
    """Name the worker of a queue as a reporter."""
    return f"{Kind.WORKER}:{queue_name}"


def _expected() -> list[tuple[Kind, str]]:
    expected = [(Kind.WORKER, name) for name in WORKERS]
    return expected + ([(Kind.SCHEDULER, ""), (Kind.BROKER, "")] if settings.TRUSTUI_QUEUE == "rq" else [])


def _name(kind: Kind, which: str) -> str:
    return f"{kind}:{which}" if which else str(kind)


def _absent(kind: Kind, which: str) -> Part:
    """Tell of a part that never reported."""
    if kind == Kind.BROKER:
        sentence = _("Nobody has looked at Redis yet; the scheduler does.")
        return Part(kind, kind, str(kind.label), UNKNOWN, sentence, how_to_start(SCHEDULER))
    name = _name(kind, which)
    title = title_of(name)
    return Part(name, kind, title, BROKEN, _("%(who)s has not reported yet.") % {"who": title}, how_to_start(name))


def _is_old(row: PartHealth, now: datetime) -> bool:
    patience = row.every * MISSED_LOOKS + min(row.every, MOST_GRACE)
    return now - row.checked_at > timedelta(seconds=patience)


def _aged(row: PartHealth, rows: Mapping[str, PartHealth], silent: set[str], now: datetime) -> Part:
    """Give a row as it stands while it is renewed, and what its silence means afterwards."""
    if not _is_old(row, now):
        return _part(row, row.state, row.sentence, row.next_step)
    ago, who = lasting(now - row.checked_at), title_of(row.reporter)
    if row.name != row.reporter:
        sentence = _("Nobody has looked for %(time)s: %(who)s does not report. Before: %(before)s") % {
            "time": ago,
            "who": who[:1].lower() + who[1:],
            "before": row.sentence,
        }
        return _part(row, UNKNOWN, sentence, how_to_start(row.reporter))
    if is_busy := _busy(row, rows, silent):
        sentence = _("%(who)s has not reported for %(time)s: it is busy with other work.") % {"who": who, "time": ago}
        return _part(row, WARNING, sentence, is_busy)
    broker = rows.get(Kind.BROKER)
    if broker and broker.state == BROKEN and not _is_old(broker, now):
        sentence = _("%(who)s has not reported for %(time)s: Redis does not answer.") % {"who": who, "time": ago}
        return _part(row, BROKEN, sentence, broker.next_step)
    sentence = _("%(who)s has not reported for %(time)s.") % {"who": who, "time": ago}
    return _part(row, BROKEN, sentence, how_to_start(row.reporter))


def _busy(row: PartHealth, rows: Mapping[str, PartHealth], silent: set[str]) -> str:
    """Say what helps a worker that is there and has no time; nothing where that is not known."""
    queue = rows.get(_name(Kind.QUEUE, row.name.partition(":")[2]))
    if queue is None or queue.reporter in silent or not queue.facts.get("busy"):
        return ""
    return _("Nothing is wrong. Where it lasts, start another worker of this queue.")


def _part(row: PartHealth, state: str, sentence: str, next_step: str) -> Part:
    kind = Kind(row.kind)
    return Part(
        row.name, kind, row.title, state, sentence, next_step, row.facts, checked_at=row.checked_at, since=row.since
    )
