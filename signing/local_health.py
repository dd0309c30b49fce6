"""What any process sees by itself, without waiting for a network: its database, the tables in it, its disk."""

from __future__ import annotations

import shutil
import socket
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from signing.health import BROKEN, GOOD, WARNING, Kind, Seen

MOST_SKEW, TOO_MUCH_SKEW = 10.0, 120.0  # seconds
LITTLE_SPACE, NO_SPACE = 0.10, 0.02  # of the disk
ENOUGH_BYTES = 20 * 1024**3  # then the share does not matter

MAY_BE_ABSENT = frozenset({"django_rq", "trust_server"})  # nobody needs the one, and not everybody the other


def database() -> Seen:
    """Ask the database something small, and its clock."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (theirs,) = cursor.fetchone()
    took = (time.perf_counter() - started) * 1000
    facts: dict[str, object] = {"engine": connection.vendor, "milliseconds": round(took, 1)}
    if connection.vendor == "postgresql":
        major, minor = divmod(connection.cursor().connection.info.server_version, 10000)
        facts["version"] = f"{major}.{minor}"
        facts["clock_seconds"] = round((theirs - datetime.now(UTC)).total_seconds(), 1)
    name = connection.settings_dict["NAME"] if connection.vendor == "postgresql" else "SQLite"
    sentence = _("It answers in %(time)s ms.") % {"time": round(took, 1)}
    return Seen(Kind.DATABASE, "", f"{Kind.DATABASE.label} {name}", GOOD, sentence, facts=facts)


def migrations(which: str = "") -> Seen:
    """Compare the tables with what this release's code expects."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    known, labels = _known()
    unused = MAY_BE_ABSENT - {app for app, _name in applied}
    missing = sorted(f"{app}.{name}" for app, name in known - applied if app not in unused)
    unknown = sorted(f"{app}.{name}" for app, name in applied - known if app in labels)
    title, facts = str(Kind.MIGRATIONS.label), {"missing": missing, "unknown": unknown}
    if missing:
        sentence = _("The database lacks %(count)d migrations of this release: %(names)s.") % {
            "count": len(missing),
            "names": ", ".join(missing[:5]),
        }
        step = _("Run `manage.py migrate` once with this release; the release before goes on working meanwhile.")
        return Seen(Kind.MIGRATIONS, which, title, BROKEN, sentence, step, facts)
    if unknown:
        sentence = _("The database is newer than this release: it has %(names)s.") % {"names": ", ".join(unknown[:5])}
        return Seen(Kind.MIGRATIONS, which, title, WARNING, sentence, _("Bring every process to one release."), facts)
    return Seen(Kind.MIGRATIONS, which, title, GOOD, _("They are those of this release."), facts=facts)


def disk(which: str, folder: Path) -> Seen:
    """See how much room is left where a process keeps its files."""
    usage = shutil.disk_usage(_existing(folder))
    share = usage.free / usage.total if usage.total else 0.0
    state = GOOD if share >= LITTLE_SPACE or usage.free >= ENOUGH_BYTES else WARNING
    state = BROKEN if share < NO_SPACE and usage.free < ENOUGH_BYTES else state
    sentence = _("%(free)s GB of %(total)s GB are free.") % {
        "free": f"{usage.free / 1e9:.1f}",
        "total": f"{usage.total / 1e9:.1f}",
    }
    step = "" if state == GOOD else _("Make room: old logs, unused images (docker image prune), old backups.")
    facts = {"free_bytes": usage.free, "total_bytes": usage.total, "machine": socket.gethostname()}
    title = _("Disk of the %(which)s worker") % {"which": which}
    return Seen(Kind.DISK, which, title, state, sentence, step, facts)


def clock(which: str, differences: dict[str, float]) -> Seen | None:
    """Judge how far other clocks are from this machine's; None where no other was read."""
    if not differences:
        return None
    whose, seconds = max(differences.items(), key=lambda found: abs(found[1]))
    state = GOOD if abs(seconds) < MOST_SKEW else WARNING if abs(seconds) < TOO_MUCH_SKEW else BROKEN
    sentence = _("It agrees with %(count)d other clocks within a few seconds.") % {"count": len(differences)}
    if state != GOOD:
        sentence = _("The clock of %(whose)s is %(seconds)d seconds %(direction)s of the %(which)s worker's.") % {
            "whose": whose,
            "seconds": abs(seconds),
            "direction": _("ahead") if seconds > 0 else _("behind"),
            "which": which,
        }
    step = "" if state == GOOD else _("Let both machines take their time by NTP (chronyd or systemd-timesyncd).")
    facts = {"seconds": {name: round(value, 1) for name, value in differences.items()}}
    return Seen(Kind.CLOCK, which, _("Clock of the %(which)s worker") % {"which": which}, state, sentence, step, facts)


@cache
def _known() -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Read the names of this release's migrations, once in a process."""
    loader = MigrationLoader(None)
    labels = frozenset(config.label for config in apps.get_app_configs())
    return frozenset(name for name in loader.disk_migrations if name[0] in labels), labels


def _existing(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
