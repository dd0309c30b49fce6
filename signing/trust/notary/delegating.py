"""Edits of what one targets file delegates; pure, as in Notary 0.7 (`delegationUpdateVisitor`) (reference 2.5, 6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from signing.trust.errors import InvalidKey
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Delegation, Targets


def with_delegation(parent: Targets, item: Delegation, keys: Sequence[PublicKey] = ()) -> Targets:
    """List `item`, in its place or at the end, with such of `keys` as it names; keys nobody names go."""
    known = [item if listed.name == item.name else listed for listed in parent.delegations]
    delegations = tuple(known if item in known else [*known, item])
    return _listing(parent, delegations, keys)


def without_delegation(parent: Targets, name: str) -> Targets:
    """Take the delegation `name` out."""
    return _listing(parent, tuple(item for item in parent.delegations if item.name != name))


def without_keys(parent: Targets, name: str, canonical_ids: Collection[str]) -> Targets:
    """Take keys out of one delegation."""
    item = parent.delegation(name)
    if item is None:
        return parent
    kept = tuple(keyid for keyid in item.keyids if canonical_id(parent, keyid) not in canonical_ids)
    return parent if kept == item.keyids else with_delegation(parent, replace(item, keyids=kept))


def extended(parent: Targets, item: Delegation, keys: Sequence[PublicKey], paths: Sequence[str]) -> Delegation:
    """Add keys and paths to a delegation; a key that it has already, in whatever form, is not listed twice."""
    held = {canonical_id(parent, keyid) for keyid in item.keyids}
    added = tuple(key.key_id for key in _once(keys) if key.canonical_id not in held)
    further = tuple(path for path in dict.fromkeys(paths) if path not in item.paths)
    return replace(item, keyids=item.keyids + added, paths=item.paths + further)


def canonical_id(parent: Targets, keyid: str) -> str:
    """Name a listed key as key files do; one that cannot be read keeps the id it is listed under."""
    try:
        return parent.keys[keyid].canonical_id
    except InvalidKey:
        return keyid


def _once(keys: Sequence[PublicKey]) -> list[PublicKey]:
    return list({key.canonical_id: key for key in reversed(keys)}.values())[::-1]


def _listing(parent: Targets, delegations: tuple[Delegation, ...], keys: Sequence[PublicKey] = ()) -> Targets:
    named = {keyid for item in delegations for keyid in item.keyids}
    known = {**parent.keys, **{key.key_id: key for key in keys}}
    return replace(parent, delegations=delegations, keys={keyid: key for keyid, key in known.items() if keyid in named})
