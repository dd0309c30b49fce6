"""Whether a trust server may take a new root (Notary v1: root validation without pinning, then version and expiry)."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from signing.trust.errors import InvalidKey, KeyIdMismatch, UnmetThreshold
from signing.trust.notary.refusals import BAD_ROOT, expired, refused_as, rejected
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.roles import Role

_EARLY_CLOCKS = timedelta(days=1)


def accept_root(gun: str, sent: Envelope, previous: Root | None, now: datetime) -> Root:
    """Return the root in `sent` if it may follow `previous`.

    Stricter than notary-server, which stores roots that lock every client out: each key of a role has to be listed
    under its own id and be readable, and each role needs as many different keys as it asks signatures for.

    Raises:
        PublishRejected: named ErrBadRoot, with the reason.
    """
    with refused_as(BAD_ROOT, roles.ROOT):
        root = Root.from_signed(sent.signed)
    if previous is not None and root.version not in (previous.version, previous.version + 1):
        raise rejected(
            BAD_ROOT,
            f"Root modifications must increment the version. Current {previous.version}, new {root.version}",
        )
    certified = _usable(root, gun, now)
    if not certified:
        raise rejected(
            BAD_ROOT, "could not validate the path to a trusted root: unable to retrieve valid leaf certificates"
        )
    if previous is not None:
        trusted = Role(roles.ROOT, _usable(previous, gun, None), previous.roles[roles.ROOT].threshold)
        _require(
            trusted,
            sent,
            "could not rotate trust to a new trusted root: failed to validate data with current trusted certificates",
        )
    own = Role(roles.ROOT, certified, root.roles[roles.ROOT].threshold)
    _require(own, sent, "failed to validate integrity of roots")
    if root.is_expired(now):
        raise rejected(BAD_ROOT, expired(roles.ROOT, root.expires))
    _require_usable_roles(root)
    return root


def _require(role: Role, envelope: Envelope, reason: str) -> None:
    try:
        role.require_threshold(envelope)
    except (UnmetThreshold, KeyIdMismatch, InvalidKey):
        raise rejected(BAD_ROOT, reason) from None


def _require_usable_roles(root: Root) -> None:
    for name in roles.BASE_ROLES:
        keys = root.role(name).keys
        if any(key.key_id != keyid for keyid, key in keys.items()):
            raise rejected(BAD_ROOT, "key ID is not valid for key content")
        with refused_as(BAD_ROOT, name):
            different = {key.canonical_id for key in keys.values()}
        if len(different) < root.roles[name].threshold:
            raise rejected(BAD_ROOT, f"{name} has fewer keys than the signatures its threshold asks for")


def _usable(root: Root, gun: str, now: datetime | None) -> dict[str, PublicKey]:
    """Give the root keys whose certificate is for this GUN; expiry counts only where a time is given."""
    keys = root.role(roles.ROOT).keys.items()
    return {keyid: key for keyid, key in keys if _is_usable(key, gun, now)}


def _is_usable(key: PublicKey, gun: str, now: datetime | None) -> bool:
    try:
        leaf, *chain = key.certificates
        key.loaded  # noqa: B018  raises for a weak or unknown key
        return (
            not _is_authority(leaf)
            and all(_is_authority(certificate) for certificate in chain)
            and _covers(_common_name(leaf), gun)
            and not isinstance(leaf.signature_hash_algorithm, hashes.SHA1)
            and leaf.not_valid_before_utc <= leaf.not_valid_after_utc
            and (now is None or leaf.not_valid_before_utc - _EARLY_CLOCKS <= now <= leaf.not_valid_after_utc)
        )
    except (InvalidKey, ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return False


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[-1].value) if names else ""  # of several, Go takes the last


def _covers(common_name: str, gun: str) -> bool:
    return common_name == gun or (common_name.endswith("*") and gun.startswith(common_name[:-1]))
