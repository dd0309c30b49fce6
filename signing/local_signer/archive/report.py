"""What an archive proves, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from signing.trust.evidence.history import History
from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.timeline import Event, Period
from signing.trust.notary.inspect import visible
from signing.trust.tuf.times import format_time

MEANING = """\
What the times mean: Notary signs no time of signing. FROM and TO are when the server says that a state began: the
expiry of the timestamp it signed for that state, less the 14 days for which servers sign them. The order of states is
proven by their signed versions and hashes; the times are as right as the server's clock was. An open TO ends with the
newest state archived, which counted until the time shown; what came after it, no archive can know."""


def outline(history: History) -> dict[str, Any]:
    """Give what is known of one repository, without its tags and events."""
    last = history.last
    return {
        "repository": str(history.gun),
        "proven": history.is_proven,
        "pinned": history.is_pinned,
        "server": history.record.server,
        "taken": _time(history.record.taken),
        "root_keys": [
            {"id": key.key_id, "canonical_id": key.canonical_id, "certificate_sha256": key.fingerprint}
            for key in history.root_keys
        ],
        "files": len(history.record.files),
        "states": history.states,
        "newest": None if last is None else {"timestamp": last.timestamp.version, "at": _time(last.at)},
        "vouched_until": _time(history.vouched_until),
        "problems": [
            {"file": item.file, "code": item.error.code, "message": item.error.message} for item in history.problems
        ],
        "not_proven": [
            {"timestamp": item.timestamp.version, "at": _time(item.at), "reason": item.reason.message}
            for item in history.unproven
        ],
        "lost_by_server": list(history.gaps),
    }


def period_json(history: History, period: Period) -> dict[str, Any]:
    """Give one period, with the signed files and the server's own record that it rests on."""
    recorded = {change.sha256: change.at for change in history.record.changes if change.sha256}
    stamps = {file.version: file.sha256 for file in history.record.files if file.role == "timestamp"}
    return {
        "tag": period.tag,
        "digest": f"sha256:{period.digest}",
        "size": period.length,
        "signer": period.signer,
        "from": _time(period.start),
        "from_timestamp": period.first,
        "from_recorded": _time(recorded.get(stamps.get(period.first, ""))),
        "to": _time(period.to),
        "to_timestamp": period.last,
        "ended": period.ended or None,
        "file": None if period.file is None else _file_json(period.file),
    }


def event_json(event: Event) -> dict[str, Any]:
    """Give one event; what does not fit its kind is left out."""
    facts = {
        "tag": event.tag,
        "digest": f"sha256:{event.digest}" if event.digest else "",
        "signer": event.signer,
        "role": event.role,
        "before": event.before,
        "detail": event.detail,
    }
    known = {name: value for name, value in facts.items() if value}
    return {"kind": event.kind, "at": _time(event.at), "timestamp": event.timestamp, **known}


def periods_text(history: History, periods: Iterable[Period]) -> list[str]:
    """Write the periods as a table."""
    rows = [("TAG", "DIGEST", "SIGNER", "FROM", "TO")]
    for period in periods:
        end = shown(period.to) if period.to else f"open (counted until {shown(history.vouched_until)})"
        ended = f", {_short(period.ended)}" if period.ended else ""
        digest = f"sha256:{period.digest}"
        rows.append((visible(period.tag), digest, visible(period.signer), shown(period.start), end + ended))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows]


def event_text(event: Event) -> str:
    """Write one event as a line."""
    parts = [
        f"{shown(event.at)}  timestamp {event.timestamp:<5} {event.kind}",
        event.tag,
        f"sha256:{event.digest}" if event.digest else "",
        f"by {event.signer}" if event.signer and event.tag else event.signer,
        event.role,
        f"instead of {event.before}" if event.before else "",
        event.detail,
    ]
    return visible(" ".join(part for part in parts if part))


def shown(at: datetime | None) -> str:
    """Write a time for people."""
    return "unknown" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _short(ended: str) -> str:
    kind, by, digests = ended.partition("replaced by ")
    return f"{by}{digests[:12]}" if by else kind


def _time(at: datetime | None) -> str | None:
    return None if at is None else format_time(at.replace(microsecond=0))


def _file_json(file: StoredFile) -> dict[str, Any]:
    return {"role": file.role, "version": file.version, "sha256": file.sha256}
