"""The files a trust server signs itself: the timestamp always, the snapshot where the root names the server's key.

Reference 2.6, 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, FileMeta, Root, Snapshot, Timestamp
from signing.trust.tuf.roles import Role

SNAPSHOT_LIFETIME = timedelta(days=1095)
TIMESTAMP_LIFETIME = timedelta(days=14)
SNAPSHOT_MARGIN = timedelta(days=190)
"""Clients warn of a snapshot with less than six months left."""
TIMESTAMP_MARGIN = timedelta(days=7)
"""A reader's copy stays good for at least this long while the server cannot be reached."""


class ServerKeys(Protocol):
    """The private keys a trust server holds for one GUN."""

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give those of these keys that the server holds for `role`."""


@dataclass(frozen=True, slots=True)
class AcceptedFile:
    """One file to store. Who reads it after `renew_at` should get a new one (`acceptance.renew`).

    `content` and `signed_by` are what was read and verified, so that the next update need not do it again.
    """

    role: str
    version: int
    data: bytes
    renew_at: datetime | None = None
    content: Any = field(default=None, compare=False, repr=False)
    signed_by: Role | None = field(default=None, compare=False, repr=False)


def next_snapshot(
    root: Root, previous: Snapshot | None, changed: Mapping[str, bytes], keys: ServerKeys, now: datetime
) -> AcceptedFile | None:
    """Sign the snapshot after `previous` with the `changed` files in it, or give None without the key.

    Entries of deleted delegations stay, as in notary-server: clients pass over them, and a signer who is removed and
    added again with the same key finds the old file and goes on from its version. Without the entry the client would
    start at version 1, which is refused for ever because higher versions are stored.
    """
    meta = {**(previous.meta if previous else {}), **{name: FileMeta.of(data) for name, data in changed.items()}}
    version = previous.version + 1 if previous else 1
    expires = now + SNAPSHOT_LIFETIME
    snapshot = Snapshot(version=version, expires=expires, meta=meta)
    data = _signed(root.role(roles.SNAPSHOT), snapshot.to_signed(), keys)
    return None if data is None else AcceptedFile(roles.SNAPSHOT, version, data, expires - SNAPSHOT_MARGIN, snapshot)


def next_timestamp(
    root: Root, previous_version: int, snapshot: bytes, keys: ServerKeys, now: datetime
) -> AcceptedFile | None:
    """Sign the timestamp that names `snapshot` as the newest, or give None without the key."""
    version, expires = previous_version + 1, now + TIMESTAMP_LIFETIME
    timestamp = Timestamp(version=version, expires=expires, meta={roles.SNAPSHOT: FileMeta.of(snapshot)})
    data = _signed(root.role(roles.TIMESTAMP), timestamp.to_signed(), keys)
    return None if data is None else AcceptedFile(roles.TIMESTAMP, version, data, expires - TIMESTAMP_MARGIN, timestamp)


def _signed(role: Role, signed: dict[str, Any], keys: ServerKeys) -> bytes | None:
    """Sign with every key of the role that the server holds, or give None where they are too few."""
    held = [key for key in keys.open(role.name, tuple(role.keys)) if role.keys.get(key.key_id) == key.public]
    if role.threshold < 1 or len({key.public.material for key in held}) < role.threshold:
        return None
    payload = Envelope.build(signed, ()).payload
    return Envelope.build(signed, tuple(key.signature(key.key_id, payload) for key in held)).raw
