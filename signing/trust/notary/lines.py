"""The lines of metadata that go and come with a publish: what an approval is for, byte for byte.

Each line is printable ASCII: a sign, the file, the member and its value as JSON with sorted members. They are the same
whether they are worked out beforehand from remembered files, from what is about to be signed, or from what was read
back. So nothing is in them that nobody can know before: see `LEFT_OUT`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from signing.trust.errors import InvalidKey
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Root, Target, Targets
from signing.trust.tuf.tag_list import TagList

LEFT_OUT = (
    "the version, the end and the signatures of each file",
    "snapshot and timestamp, which only list the others",
    "new keys of the base roles, which do not exist before: their place reads <new ... key>",
)
GONE, COME, ANEW = "-", "+", "~"


def diff_lines(before: TrustedRepository | None, update: Update) -> list[str]:
    """Give the lines of an update of `before`, or of a repository that gets its first root."""
    lines: list[str] = []
    if update.root is not None:
        lines += _file(roles.ROOT, _root(before.root if before else None, update.root))
    was = {} if before is None else {roles.TARGETS: before.targets, **before.delegations}
    for name, (_, file) in sorted(update.files.items()):
        lines += _file(name, _targets(was.get(name), file))
    return lines


def _file(name: str, changes: Iterator[str]) -> Iterator[str]:
    is_the_same = True
    for line in changes:
        is_the_same = False
        yield f"{line[0]} {name} {line[2:]}"
    if is_the_same:
        yield f"{ANEW} {name} signed anew, nothing else changes"


def _root(before: Root | None, after: Root) -> Iterator[str]:
    was = {} if before is None else {name: _role(before, before, name) for name in before.roles}
    now = {name: _role(before, after, name) for name in after.roles}
    yield from _members("roles", was, now)
    gone = {} if before is None else {keyid: key for keyid, key in before.keys.items() if keyid not in after.keys}
    yield from _members("keys", {keyid: key.to_json() for keyid, key in gone.items()}, {})
    if before is not None and before.consistent_snapshot != after.consistent_snapshot:
        yield from _members("consistent_snapshot", {"": before.consistent_snapshot}, {"": after.consistent_snapshot})


def _role(before: Root | None, root: Root, name: str) -> dict[str, Any]:
    listed = root.roles[name]
    return {"keyids": [_named(before, root, name, keyid) for keyid in listed.keyids], "threshold": listed.threshold}


def _named(before: Root | None, root: Root, role: str, keyid: str) -> str:
    """Name a key; a new one of a base role has only a place. A first root names the key that is certified in it."""
    if before is not None:
        return keyid if keyid in before.roles[role].keyids else f"<new {role} key>"
    if role == roles.ROOT:
        try:
            return f"<new certificate of the key {root.keys[keyid].canonical_id}>"
        except InvalidKey:
            return keyid
    return f"<new {role} key>"


def _targets(before: Targets | None, after: Targets) -> Iterator[str]:
    was, now = before or Targets(version=0, expires=after.expires), after
    yield from _members(
        "delegations.keys",
        {keyid: key.to_json() for keyid, key in was.keys.items()},
        {keyid: key.to_json() for keyid, key in now.keys.items()},
    )
    yield from _members(
        "delegations.roles",
        {item.name: item.to_json() for item in was.delegations},
        {item.name: item.to_json() for item in now.delegations},
    )
    order = [item.name for item in now.delegations]
    if [item.name for item in was.delegations if item.name in order] != [
        name for name in order if was.delegation(name) is not None
    ]:
        yield f"{COME} delegations.roles order {_json(order)}"
    names = _names_unlike(was.targets, now.targets)
    yield from _members("targets", _entries(was.targets, names), _entries(now.targets, names))


def _names_unlike(was: Mapping[str, Target], now: Mapping[str, Target]) -> set[str]:
    if was is now:
        return set()
    if isinstance(was, TagList) and isinstance(now, TagList):
        return set(now.names_unlike(was))
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}


def _entries(targets: Mapping[str, Target], names: set[str]) -> dict[str, Any]:
    return {name: targets[name].to_json() for name in names if name in targets}


def _members(member: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if name in was and name in now and was[name] == now[name]:
            continue
        place = f"{member} {_json(name)}" if name else member
        if name in was:
            yield f"{GONE} {place} {_json(was[name])}"
        if name in now:
            yield f"{COME} {place} {_json(now[name])}"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
