"""Decide what a trust server stores: which update it takes, and which files it signs itself (reference 3.5).

Pure: what is stored now comes in, files to store or a named error come out. The bytes accepted are the bytes sent;
they are never written anew, so their hashes are right however a client formats its JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from signing.trust.errors import CannotSign, ExpiredMetadata, VersionConflict
from signing.trust.notary.known_files import CurrentFiles, FilesInMemory
from signing.trust.notary.refusals import (
    BAD_ROOT,
    BAD_UPDATE,
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
from signing.trust.notary.update_check import CheckedUpdate
from signing.trust.notary.upload_reading import read_file
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Root, Snapshot, Timestamp

__all__ = ["FilesInMemory", "accept", "renew", "require_newer"]


def accept(
    gun: str, update: Mapping[str, bytes], current: CurrentFiles, keys: ServerKeys, now: datetime
) -> list[AcceptedFile]:
    """Give the files to store, all or none, when a client publishes `update` (Notary v1: validation of an update).

    The last two are the new snapshot, unless the client sent its own, and the new timestamp. An empty update makes
    both. A timestamp in the update is refused; notary-server ignores it, and no client sends one. Target names are not
    checked against the paths of a delegation: clients do that when they read.

    Raises:
        InvalidName: a role of the update has a name the format forbids.
        MalformedMetadata: a file of the update is not a signed file.
        PublishRejected: a file does not hold; `detail` has the error's name and the reason in Notary's words.
        VersionConflict: a version that is stored already; read the newest state and try again.
    """
    sent = {roles.check_role_name(role): read_file(data) for role, data in update.items()}
    if roles.TIMESTAMP in sent:
        raise rejected(BAD_UPDATE, "the timestamp is made by the server")
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
    stored = [current.file(role) for role in (roles.ROOT, roles.SNAPSHOT, roles.TIMESTAMP)]
    root_file, snapshot_file, timestamp_file = stored
    if root_file is None or snapshot_file is None or timestamp_file is None:
        return []
    trusted, snapshot, timestamp = root_file.read(Root), snapshot_file.read(Snapshot), timestamp_file.read(Timestamp)
    made = None
    if snapshot.is_expired(now + SNAPSHOT_MARGIN):
        made = next_snapshot(trusted, snapshot, {}, keys, now)
    if made is None and not timestamp.is_expired(now + TIMESTAMP_MARGIN):
        return []
    if trusted.is_expired(now):
        raise ExpiredMetadata(f"{expired(roles.ROOT, trusted.expires)}.", role=roles.ROOT)
    newest = made.data if made else snapshot_file.data
    renewed = next_timestamp(trusted, timestamp.version, newest, keys, now)
    if renewed is None:
        raise CannotSign("The server does not hold the timestamp key that the root names.", role=roles.TIMESTAMP)
    return [*([made] if made else []), renewed]
