"""Write a calendar file (RFC 5545) of all-day events with reminders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

LONGEST_LINE = 75  # octets, the line break not counted (3.1)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_URI_LEFT_OUT = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Event:
    """One day to remember. `uid` stays when the day moves, so that calendars move the event and add none."""

    uid: str
    day: date
    summary: str
    description: str
    url: str
    category: str


def calendar(name: str, events: Iterable[Event], *, made_at: datetime, remind_days: Sequence[int]) -> bytes:
    """Write the file; each event reminds so many days before it."""
    lines = _lines(name, events, f"{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}", remind_days)
    return b"".join(fold(line) for line in lines)


def fold(line: str) -> bytes:
    """End a line, after breaking it where it is too long: never inside a character (3.1)."""
    folded, room = bytearray(), LONGEST_LINE
    for character in line:
        octets = character.encode()
        if len(octets) > room:
            folded += b"\r\n "
            room = LONGEST_LINE - 1
        folded += octets
        room -= len(octets)
    return bytes(folded) + b"\r\n"


def text(value: str) -> str:
    """Write a TEXT value (3.3.11): what has a meaning of its own is escaped, control characters are left out."""
    plain = _CONTROL.sub("", value.replace("\r\n", "\n"))
    for character, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(character, written)
    return plain


def _lines(name: str, events: Iterable[Event], made_at: str, remind_days: Sequence[int]) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//TrustUI//What runs out//EN"
    yield "CALSCALE:GREGORIAN"
    yield "METHOD:PUBLISH"
    yield f"X-WR-CALNAME:{text(name)}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT12H"  # RFC 7986
    for event in events:
        yield from _event(event, made_at, remind_days)
    yield "END:VCALENDAR"


def _event(event: Event, made_at: str, remind_days: Sequence[int]) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{text(event.uid)}"
    yield f"DTSTAMP:{made_at}"
    yield f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}"
    yield f"SUMMARY:{text(event.summary)}"
    yield f"DESCRIPTION:{text(event.description)}"
    yield f"URL:{_URI_LEFT_OUT.sub('', event.url)}"
    yield f"CATEGORIES:{text(event.category)}"
    yield "TRANSP:TRANSPARENT"  # nobody is busy that day
    for days in remind_days:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{text(event.summary)}"
        yield f"TRIGGER:-P{days}D"
        yield "END:VALARM"
    yield "END:VEVENT"
