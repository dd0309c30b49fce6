"""What changed from one stored version of a role's file to another, as lines like those of an approval.

Here nothing is left out: the version, the end and who signed it are lines too. The files are compared as JSON, so
that any two can be, also those that did not verify.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from signing.trust.notary.lines import COME, GONE
from signing.trust.tuf import canonical, shape

_BY_ENTRY = ("keys", "roles", "targets", "meta")
"""Members whose entries are compared one by one; all others are compared as a whole."""


def version_lines(before: bytes, after: bytes) -> list[str]:
    """Give the lines that go and come; none where both say the same.

    Raises:
        MalformedMetadata: one of them is not a signed file.
    """
    was, now = _entries(before), _entries(after)
    lines = []
    for place in sorted(was.keys() | now.keys()):
        if was.get(place) == now.get(place):
            continue
        if place in was:
            lines.append(f"{GONE} {place} {was[place]}".rstrip())
        if place in now:
            lines.append(f"{COME} {place} {now[place]}".rstrip())
    return lines


def _entries(data: bytes) -> dict[str, str]:
    """Take a file apart: where something stands, and what stands there."""
    members = shape.members(canonical.parse(data), "the file", ("signed", "signatures"))
    signed = shape.mapping(members["signed"], "the `signed` part of the file")
    found = dict(_parts(signed))
    for item in shape.list_or_null(members["signatures"], "signatures"):
        if isinstance(item, Mapping):
            found[f"signatures {_json(item.get('keyid'))}"] = _json(item.get("method"))
    return found


def _parts(signed: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in signed.items():
        place = f"{prefix}{name}"
        if name == "delegations" and isinstance(value, Mapping):
            yield from _parts(value, "delegations.")
        elif name in _BY_ENTRY and isinstance(value, Mapping):
            yield from ((f"{place} {_json(key)}", _json(entry)) for key, entry in value.items())
        elif place == "delegations.roles" and isinstance(value, list):
            yield from _named(place, value)
        else:
            yield place, _json(value)


def _named(place: str, roles: list[Any]) -> Iterator[tuple[str, str]]:
    names = [role.get("name") if isinstance(role, Mapping) else None for role in roles]
    yield from ((f"{place} {_json(name)}", _json(role)) for name, role in zip(names, roles, strict=True))
    yield f"{place} order", _json(names)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
