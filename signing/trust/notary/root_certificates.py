"""Which keys of a root count: those whose certificate holds for the repository (reference 4.3, step 2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from signing.trust.errors import ExpiredMetadata, InvalidKey, TrustError, UntrustedRoot
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey, common_names
from signing.trust.tuf.metadata import Root

if TYPE_CHECKING:
    from cryptography import x509

    Extension = TypeVar("Extension", bound=x509.ExtensionType)

# The library's reader of certificates takes longer to load than most commands need in all, so that it is loaded for
# certificates alone that are not of the plain form.

LEEWAY_BEFORE = timedelta(days=1)
"""A certificate made on a machine whose clock is ahead counts already; Notary allows the same."""

_SOUND_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def root_keys(root: Root, gun: str, at: datetime | None) -> dict[str, PublicKey]:
    """Give the keys of the root role whose certificate holds for `gun`, by their id in the metadata.

    With `at` None the certificates' validity is passed over, as for the root that was trusted before.

    Raises:
        ExpiredMetadata: the certificates would hold, had none of them expired.
        UntrustedRoot: none holds, with the reason for the first.
    """
    kept: dict[str, PublicKey] = {}
    refused: list[TrustError] = []
    for keyid, key in root.role(roles.ROOT).keys.items():
        try:
            check_certificate(key, gun, at)
        except TrustError as error:
            refused.append(error)
        else:
            kept[keyid] = key
    if kept:
        return kept
    for reason in refused:
        if isinstance(reason, ExpiredMetadata):
            raise reason
    why = refused[0].message if refused else "It lists no certificate."
    raise UntrustedRoot(f"The root of {gun} has no certificate that holds. {why}", gun=gun)


class _Leaf(NamedTuple):
    """What counts of a root key's certificate."""

    names: list[str]
    not_before: datetime
    not_after: datetime
    has_sound_hash: bool


def check_certificate(key: PublicKey, gun: str, at: datetime | None) -> None:
    """Raise unless the certificate around `key` makes it a root key of `gun`.

    Raises:
        ExpiredMetadata: its time is over.
        UntrustedRoot: it does not hold for another reason.
    """
    leaf = _leaf(key)
    _check_common_name(leaf, gun)
    _check_strength(leaf, key)
    if leaf.not_before > leaf.not_after:
        raise UntrustedRoot("Its certificate ends before it begins.")
    if at is None:
        return
    if at > leaf.not_after:
        raise ExpiredMetadata(
            f"The certificate of the root key of {gun} expired on {leaf.not_after:%d %B %Y}.",
            next_step="Ask the root key's holder to rotate it; where that is too late, initialise the repository anew.",
            role=roles.ROOT,
        )
    if at + LEEWAY_BEFORE < leaf.not_before:
        raise UntrustedRoot(f"Its certificate only holds from {leaf.not_before:%d %B %Y}.")


def issued_by(
    certificate: x509.Certificate, others: tuple[x509.Certificate, ...], at: datetime, depth: int = 0
) -> x509.Certificate | None:
    """Find in `others` an authority, valid at that time, that signed `certificate` and may have `depth` below it."""
    for issuer in others:
        if not (may_issue(issuer, depth) and issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc):
            continue
        try:
            certificate.verify_directly_issued_by(issuer)
        except Exception:  # noqa: S112  the library raises five kinds: not signed by this one, whatever the kind
            continue
        return issuer
    return None


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether the certificate says that it may sign others."""
    from cryptography.x509 import BasicConstraints

    constraints = _extension(certificate, BasicConstraints)
    return constraints is not None and constraints.ca


def may_issue(certificate: x509.Certificate, depth: int) -> bool:
    """Tell whether the certificate may sign others with `depth` authorities between them and the leaf."""
    from cryptography.x509 import BasicConstraints, KeyUsage

    constraints, usage = _extension(certificate, BasicConstraints), _extension(certificate, KeyUsage)
    if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
        return False
    return constraints.path_length is None or constraints.path_length >= depth


def _leaf(key: PublicKey) -> _Leaf:
    plain = key.plain_certificate
    if plain is not None:
        return _Leaf([plain.common_name], plain.not_before, plain.not_after, has_sound_hash=True)
    certificate = _only_leaf(key)
    return _Leaf(
        _names(certificate),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        _has_sound_hash(certificate),
    )


def _only_leaf(key: PublicKey) -> x509.Certificate:
    try:
        certificates = key.certificates
        leaves = [certificate for certificate in certificates if not is_authority(certificate)]
    except InvalidKey:
        raise UntrustedRoot("Its certificate cannot be read.") from None
    if len(leaves) != 1 or is_authority(certificates[0]):
        raise UntrustedRoot("Its certificates have to be one for the key, placed first, and authorities only after it.")
    return leaves[0]


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        return common_names(certificate)
    except ValueError:
        return []


def _has_sound_hash(certificate: x509.Certificate) -> bool:
    try:
        return isinstance(certificate.signature_hash_algorithm, _SOUND_HASHES)
    except UnsupportedAlgorithm:
        return False


def _check_common_name(leaf: _Leaf, gun: str) -> None:
    if len(leaf.names) != 1 or not name_matches(leaf.names[0], gun):
        shown = ", ".join(repr(name[:120]) for name in leaf.names) or "nobody"
        raise UntrustedRoot(f"Its certificate is for {shown}, not for {gun}.")


def name_matches(pattern: str, gun: str) -> bool:
    """Tell whether a certificate's name or a pin is for `gun`: equal, or a prefix of it before a final star."""
    return gun.startswith(pattern.rstrip("*")) if pattern.endswith("*") else pattern == gun


def _check_strength(leaf: _Leaf, key: PublicKey) -> None:
    if not leaf.has_sound_hash:
        raise UntrustedRoot("Its certificate is signed with a hash that is not safe; SHA-256 or longer is needed.")
    try:
        key.loaded  # noqa: B018  refuses weak keys, and certificates of another type than the metadata says
    except InvalidKey as error:
        raise UntrustedRoot(error.message) from None


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise InvalidKey("A certificate's extensions cannot be read.") from None
