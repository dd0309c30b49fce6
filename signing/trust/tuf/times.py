"""The times of metadata: RFC 3339 with up to nine decimals and any offset (reference 2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from signing.trust.errors import MalformedMetadata

_RFC_3339 = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})", re.ASCII)


def parse_time(text: str) -> datetime:
    """Read `expires` as an aware UTC time; nanoseconds are cut to microseconds.

    Raises:
        MalformedMetadata: for anything but RFC 3339.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise MalformedMetadata(f"This is not an RFC 3339 time: {text[:40]!r}.")
    seconds, decimals, offset = match.groups()
    try:
        moment = datetime.fromisoformat(seconds + ("+00:00" if offset == "Z" else offset)).astimezone(UTC)
        return moment + timedelta(microseconds=int((decimals or "").ljust(6, "0")[:6]))
    except (ValueError, OverflowError):
        raise MalformedMetadata(f"There is no such time: {text[:40]!r}.") from None


def format_time(moment: datetime) -> str:
    """Write a time as Go does: UTC as `Z`, trailing zeros of the fraction trimmed."""
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    written = utc.isoformat(timespec="microseconds" if utc.microsecond else "seconds")
    return (written.rstrip("0") if utc.microsecond else written) + "Z"
