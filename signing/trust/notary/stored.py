"""Open the files that were trusted last, without any server: enough to tell what a change would do.

Signatures and hashes are checked, times are not: what is about to be published is built on a fresh state anyway.
"""

from __future__ import annotations

from collections.abc import Mapping

from signing.trust.errors import HashMismatch, LengthMismatch, MalformedMetadata, MetadataError, TrustError
from signing.trust.notary.gun import Gun
from signing.trust.notary.root_rules import read_root
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.verification import open_signed
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role


def stored_state(gun: Gun, files: Mapping[str, bytes]) -> TrustedRepository | None:
    """Open a repository out of its remembered files by role; None where it was never trusted.

    A delegation's file counts if it is the one the snapshot lists and its keys signed it; others are `left_out`.

    Raises:
        MetadataError: the files of the base roles do not hold together.
    """
    if roles.ROOT not in files:
        return None
    missing = [role for role in roles.BASE_ROLES if role not in files]
    if missing:
        raise MalformedMetadata(f"The remembered files of {gun} are not complete: {', '.join(missing)} is missing.")
    root_file, root = read_root(files[roles.ROOT])
    root.role(roles.ROOT).require_threshold(root_file)
    timestamp_file, timestamp = open_signed(Timestamp, root.role(roles.TIMESTAMP), files[roles.TIMESTAMP])
    snapshot_file, snapshot = open_signed(Snapshot, root.role(roles.SNAPSHOT), files[roles.SNAPSHOT])
    targets_file, targets = open_signed(Targets, root.role(roles.TARGETS), files[roles.TARGETS])
    envelopes = {
        roles.ROOT: root_file,
        roles.TIMESTAMP: timestamp_file,
        roles.SNAPSHOT: snapshot_file,
        roles.TARGETS: targets_file,
    }
    delegations, left_out = _delegations(files, targets, snapshot, envelopes)
    return TrustedRepository(
        gun=gun,
        root=root,
        timestamp=timestamp,
        snapshot=snapshot,
        targets=targets,
        delegations=delegations,
        envelopes=envelopes,
        left_out=left_out,
    )


def _delegations(
    files: Mapping[str, bytes], targets: Targets, snapshot: Snapshot, envelopes: dict[str, Envelope]
) -> tuple[dict[str, Targets], dict[str, TrustError]]:
    found: dict[str, Targets] = {}
    left_out: dict[str, TrustError] = {}
    waiting = _below(targets)
    while waiting:
        role = waiting.pop(0)
        promised = snapshot.meta.get(role.name)
        if promised is None:
            continue  # nothing was signed in this role yet
        try:
            data = files.get(role.name, b"")
            promised.check(role.name, data)
            envelopes[role.name], file = open_signed(Targets, role, data)
        except (HashMismatch, LengthMismatch):
            left_out[role.name] = MetadataError(f"The file of {role.name} did not count when it was last checked.")
            continue
        except MetadataError as error:
            left_out[role.name] = error
            continue
        found[role.name] = file
        waiting = _below(file) + waiting
    return found, left_out


def _below(file: Targets) -> list[Role]:
    return [role for item in file.delegations if (role := file.role(item.name)) is not None]
