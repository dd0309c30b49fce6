"""What a certificate for a key has to be before it is attached: for this key, for signing, valid now, its chain whole.

Whether the authority at its end is to be believed is not decided here: whoever attaches it chose it.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.trust.errors import InvalidKey
from signing.trust.tuf.keys import CLOCK_LEEWAY, PublicKey

LONGEST_CHAIN = 8

Kind = TypeVar("Kind", bound=x509.ExtensionType)


def check_certificates(certified: PublicKey, key_id: str, now: datetime) -> None:
    """Raise unless certificates, leaf first, may be attached to the key of this canonical id.

    Raises:
        InvalidKey: and why.
    """
    if not certified.certificates:
        raise InvalidKey("That is a bare public key, not a certificate.", next_step="Paste the certificate's PEM text.")
    if certified.canonical_id != key_id:
        raise InvalidKey(
            "The certificate was issued for another key.",
            next_step="Attach the one made from this key's certificate request.",
        )
    chain = certified.certificates
    if len(chain) > LONGEST_CHAIN:
        raise InvalidKey(f"The chain has more than {LONGEST_CHAIN} certificates.")
    certified.require_current(now)
    _require_for_signing(chain[0])
    for position, (child, issuer) in enumerate(pairwise(chain)):
        _require_current_issuer(issuer, now)
        _require_issued_by(child, issuer)
        _require_authority(issuer, below=position)


def issuer_name(certificate_pem: str) -> str:
    """Name who issued the first certificate of a text; empty where there is none."""
    certificates = PublicKey.from_pem(certificate_pem).certificates if certificate_pem else ()
    return _name(certificates[0].issuer) if certificates else ""


def _require_for_signing(leaf: x509.Certificate) -> None:
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise InvalidKey(
            "This is an authority's own certificate (CA:TRUE), not one for a signer.",
            next_step="Have the key certified as a leaf, and paste the leaf first.",
        )
    usage = _extension(leaf, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise InvalidKey(
            "The certificate is not for signatures: its key usage has no digitalSignature.",
            next_step="Have it issued anew with the usage digitalSignature.",
        )
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    wanted = {ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if extended is not None and not wanted & set(extended):
        raise InvalidKey(
            "The certificate is for something else than signing code: its extended key usage has no codeSigning.",
            next_step="Have it issued anew with the extended usage codeSigning.",
        )


def _require_current_issuer(issuer: x509.Certificate, now: datetime) -> None:
    if now > issuer.not_valid_after_utc:
        raise InvalidKey(f"The authority {_name(issuer.subject)} expired on {issuer.not_valid_after_utc:%Y-%m-%d}.")
    if now < issuer.not_valid_before_utc - CLOCK_LEEWAY:
        raise InvalidKey(
            f"The authority {_name(issuer.subject)} is not valid before {issuer.not_valid_before_utc:%Y-%m-%d}."
        )


def _require_issued_by(child: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        if isinstance(child.signature_hash_algorithm, hashes.SHA1):
            raise ValueError("signed with SHA-1")
        child.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        raise InvalidKey(
            f"The chain is broken: {_name(child.subject)} was not issued by {_name(issuer.subject)}, which follows it.",
            next_step="Paste the leaf first, then each issuer in turn.",
        ) from None


def _require_authority(issuer: x509.Certificate, below: int) -> None:
    constraints, usage = _extension(issuer, x509.BasicConstraints), _extension(issuer, x509.KeyUsage)
    if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
        raise InvalidKey(f"The chain is broken: {_name(issuer.subject)} is no authority that may issue certificates.")
    if constraints.path_length is not None and below > constraints.path_length:
        raise InvalidKey(f"The chain is longer than its authority {_name(issuer.subject)} allows.")


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
    except ValueError:
        raise InvalidKey("An extension of the certificate cannot be read.") from None


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string() or "a nameless authority"
