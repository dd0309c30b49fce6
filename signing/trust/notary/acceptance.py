"""Decide what a trust server stores: which update it takes, and which files it signs itself.

Pure: what is stored now comes in, files to store or a named error come out. The bytes accepted are the bytes sent;
they are never written anew, so their hashes are right however a client formats its JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson

from signing.trust.errors import (
    CannotSign,
    ExpiredMetadata,
    MalformedMetadata,
    VersionConflict,
)
from signing.trust.notary.refusals import (
    BAD_ROOT,
    expired,
    rejected,
)
from signing.trust.notary.server_made import (
    SNAPSHOT_MARGIN,
    TIMESTAMP_MARGIN,
    AcceptedFile,
    ServerKeys,
    next_snapshot,
    next_timestamp,
)
from signing.trust.notary.update_check import CheckedUpdate, CurrentFiles
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Timestamp

MOST_SIGNATURES = 256


class FilesInMemory:
    """Current files that were accepted before, by role name."""

    def __init__(self, files: Mapping[str, AcceptedFile]) -> None:
        self._files = files

    def data(self, role: str) -> bytes | None:
        """Give a role's file."""
        return self._files[role].data if role in self._files else None

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""
        return self._files[role].version if role in self._files else 0


def accept(
    gun: str, update: Mapping[str, bytes], current: CurrentFiles, keys: ServerKeys, now: datetime
) -> list[AcceptedFile]:
    """Give the files to store, all or none, when a client publishes `update` (Notary v1: validation of an update).

    The last two are the new snapshot, unless the client sent its own, and the new timestamp. A timestamp in the
    update is read and ignored, and an empty update makes a new snapshot and timestamp. Target names are not checked
    against the paths of a delegation: clients do that when they read.

    Raises:
        InvalidName: a role of the update has a name the format forbids.
        MalformedMetadata: a file of the update is not a signed file.
        PublishRejected: a file does not hold; `detail` has the error's name and the reason in Notary's words.
        VersionConflict: a version that is stored already; read the newest state and try again.
    """
    sent = {roles.check_role_name(role): read_file(data) for role, data in update.items()}
    sent.pop(roles.TIMESTAMP, None)
    checked = CheckedUpdate(gun, sent, current, now)
    snapshot = checked.sent_snapshot() or checked.made_snapshot(keys)
    timestamp = next_timestamp(checked.root, current.version(roles.TIMESTAMP), snapshot.data, keys, now)
    if timestamp is None:
        raise rejected(BAD_ROOT, "no timestamp keys exist on the server")
    accepted = [*checked.accepted(), snapshot, timestamp]
    require_newer((file for file in accepted if file.role in sent), current)
    return accepted


def require_newer(files: Iterable[AcceptedFile], current: CurrentFiles) -> None:
    """Raise unless each file is newer than what is stored.

    Raises:
        VersionConflict: somebody else published that version, or a higher one.
    """
    for file in files:
        if file.version <= current.version(file.role):
            raise VersionConflict("A newer version of metadata is already available.", role=file.role)


def renew(current: CurrentFiles, keys: ServerKeys, now: datetime) -> list[AcceptedFile]:
    """Give the next snapshot and timestamp where their time is over or near; an empty list if neither is.

    notary-server does this after expiry only, so that its readers can get a timestamp with seconds left. A snapshot
    that a client signs is left as it is.

    Raises:
        ExpiredMetadata: the root is expired, so nothing signed below it would count.
        CannotSign: the server does not hold the timestamp key that the root names.
    """
    root, snapshot_data, timestamp_data = (current.data(role) for role in (roles.ROOT, roles.SNAPSHOT, roles.TIMESTAMP))
    if root is None or snapshot_data is None or timestamp_data is None:
        return []
    trusted = Root.from_signed(Envelope.parse(root).signed)
    snapshot = Snapshot.from_signed(Envelope.parse(snapshot_data).signed)
    timestamp = Timestamp.from_signed(Envelope.parse(timestamp_data).signed)
    made = None
    if snapshot.is_expired(now + SNAPSHOT_MARGIN):
        made = next_snapshot(trusted, snapshot, {}, keys, now)
    if made is None and not timestamp.is_expired(now + TIMESTAMP_MARGIN):
        return []
    if trusted.is_expired(now):
        raise ExpiredMetadata(f"{expired(roles.ROOT, trusted.expires)}.", role=roles.ROOT)
    newest = made.data if made else snapshot_data
    renewed = next_timestamp(trusted, timestamp.version, newest, keys, now)
    if renewed is None:
        raise CannotSign("The server does not hold the timestamp key that the root names.", role=roles.TIMESTAMP)
    return [*([made] if made else []), renewed]


def read_file(data: bytes) -> Envelope:
    """Read one uploaded file.

    Raises:
        MalformedMetadata: not a signed file, with members nobody signed, or nested too deeply to check.
    """
    envelope = Envelope.parse(data)
    if len(orjson.loads(data)) != 2:
        raise MalformedMetadata("A file has members beside `signed` and `signatures`, which no signature covers.")
    if len(envelope.signatures) > MOST_SIGNATURES:
        raise MalformedMetadata(f"A file has more than {MOST_SIGNATURES} signatures.")
    try:
        envelope.payload  # noqa: B018  kept for the checks to come
    except RecursionError:
        raise MalformedMetadata("This is not valid JSON: it is nested too deeply.") from None
    return envelope
