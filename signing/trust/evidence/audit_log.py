"""The audit log as a chain: each entry's hash covers the hash of the one before it.

An entry is a plain mapping of JSON values (`ENTRY_FIELDS`), so that a file of them can be checked on a machine that has
neither the database nor the product. What the chain alone cannot show, that its end was cut off or that an older state
was put back, a signed head that was kept elsewhere shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

GENESIS = "0" * 64
ENTRY_FIELDS = (
    "number",
    "at",
    "actor",
    "action",
    "account",
    "subject",
    "reason",
    "detail",
    "correlation",
    "previous_hash",
)


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Compute the SHA-256, in lower-case hex, of an entry's `ENTRY_FIELDS` as JSON with sorted members.

    `at` is RFC 3339 text in UTC with six digits of a second; other members than `ENTRY_FIELDS` are not covered.
    """
    covered = {name: entry[name] for name in ENTRY_FIELDS}
    return hashlib.sha256(orjson.dumps(covered, option=orjson.OPT_SORT_KEYS)).hexdigest()
