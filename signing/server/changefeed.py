"""The list of what happened on the server, in pages, with the odd counting of Notary's query parameters."""

from __future__ import annotations

import json

from django.http import QueryDict

from signing.server.errors import INVALID_PARAMETERS, ApiError
from signing.server.models import Change
from signing.trust.tuf.times import format_time

DEFAULT_RECORDS = 100
MOST_RECORDS = 10_000
_LARGEST = 2**31 - 1


def page(query: QueryDict, gun: str | None) -> bytes:
    """Give one page, oldest first, of all changes or of one GUN's.

    `records` is mandatory: 0 means 100, and a negative number counts from the newest, as a negative `change_id` does.

    Raises:
        ApiError: INVALID_PARAMETERS.
    """
    records, start = _integer(query, "records"), _integer(query, "change_id", "0")
    found = Change.objects.all() if gun is None else Change.objects.filter(gun=gun)
    size = min(abs(records) or DEFAULT_RECORDS, MOST_RECORDS)
    if records < 0 or start < 0:
        before = found.filter(pk__lt=start) if start > 0 else found
        rows = list(before.order_by("-pk")[:size])[::-1]
    else:
        rows = list(found.filter(pk__gt=start).order_by("pk")[:size])
    return json.dumps({"count": len(rows), "records": [_record(row) for row in rows]}, separators=(",", ":")).encode()


def _record(row: Change) -> dict[str, object]:
    return {
        "ID": str(row.pk),
        "CreatedAt": format_time(row.created_at),
        "GUN": row.gun,
        "Version": row.version,
        "SHA256": row.sha256,
        "Category": row.category,
    }


def _integer(query: QueryDict, name: str, default: str = "") -> int:
    text = query.get(name, "") or default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10) or int(digits) > _LARGEST:
        raise ApiError(INVALID_PARAMETERS, f"{name} has to be an integer")
    return int(text)
