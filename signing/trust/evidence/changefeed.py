"""What a server says of when it took each publish (reference 3.9). Nobody signs that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson

from signing.trust.errors import BadResponse, MalformedMetadata
from signing.trust.evidence.manifest import ServerChange
from signing.trust.tuf.times import parse_time

PAGE = 1000
MOST_PAGES = 1000

Pages = Callable[[str, int], bytes | None]


def read_changes(pages: Pages, known: Sequence[ServerChange] = ()) -> tuple[ServerChange, ...]:
    """Read on from the last known change; the same rows as before where the server offers no changefeed.

    `pages` gives one page by the number after which it begins and its size.

    Raises:
        BadResponse: what it gives is none.
    """
    found = list(known)
    for _ in range(MOST_PAGES):
        data = pages(found[-1].number if found else "0", PAGE)
        rows = [] if data is None else _rows(data)
        new = [row for row in rows if row not in found[-PAGE:]]
        found += new
        if not new:
            break
    return tuple(found)


def _rows(data: bytes) -> list[ServerChange]:
    try:
        records = orjson.loads(data)["records"] or []
        return [_row(record) for record in records]
    except (ValueError, TypeError, KeyError, MalformedMetadata):
        raise BadResponse("The trust server's changefeed cannot be read.") from None


def _row(record: dict[str, object]) -> ServerChange:
    number, at, sha256, category = (str(record[name]) for name in ("ID", "CreatedAt", "SHA256", "Category"))
    if not number.isdecimal() or (sha256 and (len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"))):
        raise ValueError
    version = record["Version"]
    if type(version) is not int or version < 0:
        raise ValueError
    return ServerChange(number[:20], parse_time(at), version, sha256, category[:40])
