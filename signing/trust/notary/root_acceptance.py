"""Whether a trust server may take a new root (Notary v1: root validation without pinning, then version and expiry).

Reference 3.5, 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from signing.trust.errors import (
    ExpiredMetadata,
    InvalidKey,
    KeyIdMismatch,
    UnmetThreshold,
    UntrustedRoot,
    VersionConflict,
)
from signing.trust.notary.refusals import BAD_ROOT, expired, refused_as, rejected
from signing.trust.notary.root_certificates import root_keys
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.roles import Role


def accept_root(gun: str, sent: Envelope, previous: Root | None, now: datetime) -> Root:
    """Return the root in `sent` if it may follow `previous`.

    Stricter than notary-server, which stores roots that lock every client out: each key of a role has to be listed
    under its own id and be readable, and each role needs as many different keys as it asks signatures for.

    Raises:
        PublishRejected: named ErrBadRoot, with the reason.
        VersionConflict: somebody else initialised the repository first.
    """
    with refused_as(BAD_ROOT, roles.ROOT):
        root = Root.from_signed(sent.signed)
    if previous is not None and root.version not in (previous.version, previous.version + 1):
        raise rejected(
            BAD_ROOT,
            f"Root modifications must increment the version. Current {previous.version}, new {root.version}",
        )
    certified = _certified(root, gun, now)
    if previous is not None:
        _require_continuity(gun, sent, root, previous)
    try:
        Role(roles.ROOT, certified, root.roles[roles.ROOT].threshold).require_threshold(sent)
    except (UnmetThreshold, KeyIdMismatch, InvalidKey):
        raise rejected(BAD_ROOT, "failed to validate integrity of roots") from None
    if root.is_expired(now):
        raise rejected(BAD_ROOT, expired(roles.ROOT, root.expires))
    _require_usable_roles(root)
    return root


def _require_continuity(gun: str, sent: Envelope, root: Root, previous: Root) -> None:
    trusted = Role(roles.ROOT, _certified(previous, gun, None), previous.roles[roles.ROOT].threshold)
    try:
        trusted.require_threshold(sent)
    except (UnmetThreshold, KeyIdMismatch, InvalidKey):
        if root.version == previous.version:
            # Two people initialised it at once. notary-server calls the slower one's root bad or old, as it happens;
            # old is what clients read the newest state for.
            raise VersionConflict("A newer version of metadata is already available.", role=roles.ROOT) from None
        raise rejected(
            BAD_ROOT,
            "could not rotate trust to a new trusted root: failed to validate data with current trusted certificates",
        ) from None


def _certified(root: Root, gun: str, now: datetime | None) -> Mapping[str, PublicKey]:
    try:
        return root_keys(root, gun, now)
    except (UntrustedRoot, ExpiredMetadata, InvalidKey):
        raise rejected(
            BAD_ROOT, "could not validate the path to a trusted root: unable to retrieve valid leaf certificates"
        ) from None


def _require_usable_roles(root: Root) -> None:
    for name in roles.BASE_ROLES:
        keys = root.role(name).keys
        if any(key.key_id != keyid for keyid, key in keys.items()):
            raise rejected(BAD_ROOT, "key ID is not valid for key content")
        with refused_as(BAD_ROOT, name):
            different = {key.canonical_id for key in keys.values()}
        if len(different) < root.roles[name].threshold:
            raise rejected(BAD_ROOT, f"{name} has fewer keys than the signatures its threshold asks for")
