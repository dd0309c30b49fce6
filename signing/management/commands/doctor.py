"""Say which part is broken, and how it is put right."""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError

from signing import health, local_health
from signing.health import BROKEN, GOOD, UNKNOWN, Kind, Part, Seen
from signing.waiting_work import look_at_queues

MARKS = {GOOD: "ok", "warning": "care", BROKEN: "BROKEN", UNKNOWN: "not known"}


class Command(BaseCommand):
    """Measure what this process reaches, and add what the others reported last.

    With the settings of the signing worker it asks the trust servers, with those of the docker worker the Engine and
    the registries; with any, the database and Redis.
    """

    help = "Say which part is broken and how it is put right. Ends with 1 where something does not work."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask for the form."""
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--stored", action="store_true", help="measure nothing, show what was reported last")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, tell, and end with the exit code."""
        found = _looked_at(measures=not options["stored"])
        state = health.worst(found)
        if options["json"]:
            self.stdout.write(orjson.dumps({"state": state, "parts": [_row(part) for part in found]}).decode())
        else:
            self._tell(found)
        if state in (BROKEN, UNKNOWN):
            raise SystemExit(1)

    def _tell(self, found: list[Part]) -> None:
        width = max(len(part.title) for part in found)
        for part in found:
            self.stdout.write(f"{MARKS[part.state]:>9}  {part.title:<{width}}  {part.sentence}")
            if part.next_step and part.state != GOOD:
                self.stdout.write(f"{'':>9}  {'':<{width}}  -> {part.next_step}")


def _looked_at(*, measures: bool) -> list[Part]:
    """List every part; what was measured now takes the place of what was reported."""
    fresh = _measured() if measures else []
    try:
        stored = health.parts()
    except DatabaseError:
        stored = []
    names = {part.name for part in fresh}
    return [*fresh, *(part for part in stored if part.name not in names)]


def _measured() -> list[Part]:
    seen = []
    try:
        seen += [local_health.database(), local_health.migrations()]
        recipient = getattr(settings, "SEALING_RECIPIENT", "")
        if recipient:
            seen += import_module("signing.jobs.health").look(recipient)
    except DatabaseError as error:
        sentence = f"The database does not answer: {str(error).strip().splitlines()[0]}"
        step = "Start it, or correct DATABASE_URL."
        seen.append(Seen(Kind.DATABASE, "", str(Kind.DATABASE.label), BROKEN, sentence, step))
    if settings.TRUSTUI_QUEUE == "rq":
        seen += look_at_queues()
    return [
        Part(part.name, part.kind, part.title, part.state, part.sentence, part.next_step, part.facts) for part in seen
    ]


def _row(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "kind": str(part.kind),
        "title": part.title,
        "state": part.state,
        "sentence": part.sentence,
        "next_step": part.next_step,
        "facts": part.facts,
        "checked_at": part.checked_at,
    }
