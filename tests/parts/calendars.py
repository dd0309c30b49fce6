"""Read calendar files as strictly as RFC 5545 is written, for what we write: any slip raises `AssertionError`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

_LINE = re.compile(r"([A-Z][A-Z0-9-]*)((?:;[A-Z-]+=[^;:,\"]+)*):(.*)", re.DOTALL)
_DURATION = re.compile(r"-P(\d+)D")
_REQUIRED = {
    "VCALENDAR": {"VERSION", "PRODID"},
    "VEVENT": {"UID", "DTSTAMP", "DTSTART"},
    "VALARM": {"ACTION", "DESCRIPTION", "TRIGGER"},
}
_REPEATED: set[str] = {"CATEGORIES"}
_TEXTS = {"UID", "SUMMARY", "DESCRIPTION", "PRODID", "X-WR-CALNAME", "CATEGORIES"}
_INSIDE = {"VCALENDAR": None, "VEVENT": "VCALENDAR", "VALARM": "VEVENT"}


@dataclass(frozen=True)
class ReadEvent:
    """One event as a calendar program understands it; `alarms` in days relative to its day."""

    uid: str
    day: date
    summary: str
    description: str
    url: str
    alarms: tuple[int, ...]


@dataclass
class _Component:
    name: str
    values: dict[str, str]
    parts: list[_Component]


def read_calendar(data: bytes) -> list[ReadEvent]:
    """Read a whole file: its events in their order."""
    calendar = _tree(unfolded(data))
    assert calendar.values["VERSION"] == "2.0"
    events = [_event(part) for part in calendar.parts]
    assert len({event.uid for event in events}) == len(events), "a UID twice"
    return events


def unfolded(data: bytes) -> list[str]:
    """Give the content lines (3.1): CRLF alone ends one, none is longer than 75 octets, each piece is whole UTF-8."""
    assert data.endswith(b"\r\n"), "the last line is not ended"
    lines: list[str] = []
    for raw in data[:-2].split(b"\r\n"):
        assert b"\n" not in raw, "a bare LF"
        assert b"\r" not in raw, "a bare CR"
        assert 0 < len(raw) <= 75, f"{len(raw)} octets in a line"
        piece = raw.decode()
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", piece), "a control character"
        if piece[0] in " \t":
            assert lines, "the first line continues nothing"
            lines[-1] += piece[1:]
        else:
            lines.append(piece)
    return lines


def unescaped(value: str) -> str:
    """Read a TEXT value (3.3.11); nothing that has to be escaped stands bare."""
    assert re.fullmatch(r"(?:[^\\;,\n]|\\[\\;,nN])*", value), f"not a TEXT: {value!r}"
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def _tree(lines: list[str]) -> _Component:
    open_parts: list[_Component] = []
    root: _Component | None = None
    for line in lines:
        match = _LINE.fullmatch(line)
        assert match, f"not a content line: {line!r}"
        name, parameters, value = match.groups()
        if name == "BEGIN":
            around = open_parts[-1] if open_parts else None
            assert root is None or around, "a second calendar"
            assert _INSIDE[value] == (around.name if around else None), f"{value} in the wrong place"
            part = _Component(value, {}, [])
            root = root or part
            if around:
                around.parts.append(part)
            open_parts.append(part)
        elif name == "END":
            part = open_parts.pop()
            assert part.name == value, f"{part.name} ended as {value}"
            assert part.values.keys() >= _REQUIRED[value], f"{value} lacks something"
        else:
            here = open_parts[-1].values
            assert name not in here or name in _REPEATED, f"{name} twice"
            here[name] = unescaped(value) if name in _TEXTS else value
            assert not parameters or parameters in (";VALUE=DATE", ";VALUE=DURATION"), parameters
            assert name != "DTSTART" or parameters == ";VALUE=DATE"
    assert root, "no calendar"
    assert not open_parts, "something is not ended"
    return root


def _event(part: _Component) -> ReadEvent:
    assert part.name == "VEVENT"
    assert datetime.strptime(part.values["DTSTAMP"], "%Y%m%dT%H%M%SZ")
    alarms = []
    for alarm in part.parts:
        assert alarm.values["ACTION"] == "DISPLAY"
        trigger = _DURATION.fullmatch(alarm.values["TRIGGER"])
        assert trigger, alarm.values["TRIGGER"]
        alarms.append(-int(trigger[1]))
    url = part.values["URL"]
    assert re.fullmatch(r"https?://[!-~]+", url), url
    return ReadEvent(
        part.values["UID"],
        datetime.strptime(part.values["DTSTART"], "%Y%m%d").date(),
        part.values["SUMMARY"],
        part.values["DESCRIPTION"],
        url,
        tuple(alarms),
    )
