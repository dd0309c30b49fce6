"""When a root may be trusted, and when it may follow another one (reference 4.3)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from signing.trust.errors import ExpiredMetadata, Rollback, UnmetThreshold, UntrustedRoot
from signing.trust.notary.pinning import TOFU, Pinning
from signing.trust.notary.reading import read_as, read_envelope, require_signed
from signing.trust.notary.root_certificates import root_keys
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.roles import Role


class TrustedRoot(NamedTuple):
    """A root that was found right, and the file it came in."""

    envelope: Envelope
    root: Root


def read_root(data: bytes) -> TrustedRoot:
    """Read a root's shape; nothing is verified yet.

    Raises:
        MalformedMetadata: it is not a root.
    """
    envelope = read_envelope(data)
    return TrustedRoot(envelope, read_as(Root, envelope))


def check_root(
    offered: TrustedRoot,
    gun: str,
    at: datetime,
    *,
    previous: Root | None = None,
    pinning: Pinning = TOFU,
    expiry_counts: bool = True,
) -> TrustedRoot:
    """Return `offered` if it may be trusted at that time, as the successor of `previous` if there is one.

    With `expiry_counts` False it only serves to verify other roots: neither its own time nor that of its certificates
    counts, and pins are for the root in use.

    Raises:
        UntrustedRoot: not signed by the previous root's keys, not pinned, or without a certificate that holds.
        UnmetThreshold: not signed by its own keys.
        Rollback: older than the previous root, or another file of the same version.
        ExpiredMetadata: its time, or that of its certificates, is over.
    """
    envelope, root = offered
    keys = root_keys(root, gun, at if expiry_counts else None)
    if previous is not None:
        require_signed_by(previous, offered, gun)
    if expiry_counts:
        keys = pinning.matching(keys, gun, at, has_previous=previous is not None)
    require_signed(Role(roles.ROOT, keys, root.roles[roles.ROOT].threshold), envelope)
    if previous is not None and root.version < previous.version:
        raise Rollback(
            f"The server shows version {root.version} of the root of {gun}; {previous.version} was seen before.",
            role=roles.ROOT,
        )
    if expiry_counts and root.is_expired(at):
        raise ExpiredMetadata(
            f"The root of {gun} expired on {root.expires:%d %B %Y}.", role=roles.ROOT, expires=root.expires
        )
    return offered


def require_signed_by(previous: Root, offered: TrustedRoot, gun: str) -> None:
    """Raise unless the keys of `previous` signed `offered`; whether their certificates expired since does not count.

    Raises:
        UntrustedRoot: with the ids of both roots' keys, for people to compare.
    """
    known = root_keys(previous, gun, None)
    try:
        require_signed(Role(roles.ROOT, known, previous.roles[roles.ROOT].threshold), offered.envelope)
    except UnmetThreshold:
        old, new = sorted(known), sorted(offered.root.roles[roles.ROOT].keyids)
        raise UntrustedRoot(
            f"The root of {gun} was replaced and the root key trusted before did not sign the new one. "
            f"Before: {_short(old)}; now: {_short(new)}.",
            gun=gun,
            old_key_ids=old,
            new_key_ids=new,
        ) from None


def _short(key_ids: list[str]) -> str:
    return ", ".join(key_id[:16] for key_id in key_ids[:4])
