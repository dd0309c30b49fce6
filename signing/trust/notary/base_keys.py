"""Which keys a root names for the four base roles: at first, and after one of them changed. Pure.

Reference 2.4, 3.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from signing.trust.errors import InvalidInput
from signing.trust.notary.update import ROOT_LIFETIME
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import RoleKeys, Root


def first_root(keys: Mapping[str, PublicKey], now: datetime) -> Root:
    """Name one key for each base role of a repository that has no root yet."""
    return Root(
        version=1,
        expires=now + ROOT_LIFETIME,
        keys={key.key_id: key for key in keys.values()},
        roles={name: RoleKeys((key.key_id,), 1) for name, key in keys.items()},
    )


def with_keys(root: Root, role: str, keys: Sequence[PublicKey]) -> Root:
    """Name other keys for a base role; old root certificates stay listed, as clients that follow need them.

    Raises:
        InvalidInput: these are fewer keys than the role needs signatures of.
    """
    threshold = root.roles[role].threshold
    if len({key.canonical_id for key in keys}) < threshold:
        raise InvalidInput(f"{role} needs signatures of {threshold} keys, so it needs as many keys.")
    listed = {**root.roles, role: RoleKeys(tuple(key.key_id for key in keys), threshold)}
    known = {**root.keys, **{key.key_id: key for key in keys}}
    named = {keyid for item in listed.values() for keyid in item.keyids}
    kept = {keyid: key for keyid, key in known.items() if keyid in named or key.is_certified}
    return replace(root, keys=kept, roles=listed)
