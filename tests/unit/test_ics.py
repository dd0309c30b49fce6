"""Calendar files keep to RFC 5545, whatever text goes into them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parts.calendars import read_calendar, unfolded
from trustui.ics import Event, calendar, fold

MADE = datetime(2026, 11, 25, 12, tzinfo=UTC)


def written(summary: str, description: str = "x", url: str = "https://trust.test/a") -> bytes:
    event = Event("id@trust.test", date(2027, 1, 31), summary, description, url, "Root")
    return calendar("What runs out", [event], made_at=MADE, remind_days=(30, 7))


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_comes_back_without_its_control_characters(summary: str, description: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in summary + description):
        return  # no text of a database
    (event,) = read_calendar(written(summary, description))
    kept = [character for character in summary.replace("\r\n", "\n") if character in "\t\n" or character >= " "]
    assert event.summary == "".join(character for character in kept if character != "\x7f")


@pytest.mark.parametrize(
    "text", ["a\r\nATTACH:evil", "a\nEND:VEVENT", "x" * 74 + "\r\n b", "ä" * 200, "🔑" * 60, "a;b,c\\n"]
)
def test_text_from_outside_adds_no_line(text: str) -> None:
    plain, with_text = unfolded(written("x")), unfolded(written(text))
    assert len(plain) == len(with_text)
    assert [event.alarms for event in read_calendar(written(text))] == [(-30, -7)]


def test_an_address_from_outside_adds_no_line() -> None:
    assert read_calendar(written("x", url="https://trust.test/\r\nX:1"))[0].url == "https://trust.test/X:1"


@pytest.mark.parametrize("length", [74, 75, 76, 148, 149, 150, 500])
def test_lines_are_broken_at_75_octets(length: int) -> None:
    folded = fold("A" * length)
    assert all(len(line) <= 75 for line in folded.split(b"\r\n"))
    assert folded.replace(b"\r\n ", b"") == b"A" * length + b"\r\n"
    assert fold("A" * 75) == b"A" * 75 + b"\r\n"


def test_a_calendar_without_events_is_one() -> None:
    assert read_calendar(calendar("x", [], made_at=MADE, remind_days=(7,))) == []
