"""Times as Go writes them, read and written back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.errors import MalformedMetadata
from signing.trust.tuf.times import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T03:14:49Z", datetime(2026, 11, 24, 3, 14, 49, tzinfo=UTC)),
        ("2026-11-24T03:14:49.5Z", datetime(2026, 11, 24, 3, 14, 49, 500_000, tzinfo=UTC)),
        ("2026-11-24T03:14:49.123456789Z", datetime(2026, 11, 24, 3, 14, 49, 123_456, tzinfo=UTC)),
        ("2026-11-24T03:14:49.000000001Z", datetime(2026, 11, 24, 3, 14, 49, tzinfo=UTC)),
        ("2026-11-24T03:14:49+05:30", datetime(2026, 11, 23, 21, 44, 49, tzinfo=UTC)),
        ("2026-11-24T03:14:49.25-08:00", datetime(2026, 11, 24, 11, 14, 49, 250_000, tzinfo=UTC)),
        ("2026-11-24T03:14:49-00:00", datetime(2026, 11, 24, 3, 14, 49, tzinfo=UTC)),
        ("2028-02-29T23:59:59Z", datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_parse_time(text: str, expected: datetime) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-24",
        "2026-11-24T03:14:49",
        "2026-11-24 03:14:49Z",
        "2026-11-24T03:14Z",
        "2026-11-24t03:14:49z",
        "2026-11-24T03:14:49.Z",
        "2026-11-24T03:14:49.1234567890Z",
        "2026-11-24T03:14:49,5Z",
        "2026-11-24T03:14:49+0530",
        "2026-11-24T03:14:49+24:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T03:14:60Z",
        "2027-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "\uff12\uff10\uff12\uff16-11-24T03:14:49Z",
        "2026-11-24T03:14:49Z\n",
        "12026-11-24T03:14:49Z",
    ],
)
def test_parse_time_refuses(text: str) -> None:
    with pytest.raises(MalformedMetadata):
        parse_time(text)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 11, 24, 3, 14, 49, tzinfo=UTC), "2026-11-24T03:14:49Z"),
        (datetime(2026, 11, 24, 3, 14, 49, 120_000, tzinfo=UTC), "2026-11-24T03:14:49.12Z"),
        (datetime(2026, 11, 24, 3, 14, 49, 1, tzinfo=UTC), "2026-11-24T03:14:49.000001Z"),
        (datetime(2026, 11, 24, 3, 14, 49, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2026-11-23T21:44:49Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_format_time(moment: datetime, expected: str) -> None:
    assert format_time(moment) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_is_read_back(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment
