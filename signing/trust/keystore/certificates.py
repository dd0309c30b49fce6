"""What is made with an opened key besides signatures: a repository's root certificate and requests to an authority.

Reference 1.6.
"""

from __future__ import annotations

import secrets
import warnings
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.trust.errors import InvalidKey
from signing.trust.keystore.base import AbsentKey, PrivateKey
from signing.trust.keystore.certifying import certifying
from signing.trust.tuf.keys import PublicKey

ROOT_CERTIFICATE_DAYS = 3650
LONGEST_COMMON_NAME = 64
ONE_TIME_ISSUER = "one-time issuer of TrustUI"


def root_certificate(key: PrivateKey, gun: str, now: datetime) -> PublicKey:
    """Make the self-signed certificate by which `key` is the root key of one GUN, as `docker trust` makes it.

    A key that is with its holder elsewhere gets one from an issuer that is made for it and forgotten: X.509 wants an
    issuer, but what vouches for the key is its own signature of the root file, which holds this certificate.

    Raises:
        InvalidKey: the key is an Ed25519 one.
    """
    if isinstance(key, AbsentKey):
        return _certified_by_others(key.public, gun, now)
    name = _name_of(gun)
    builder = _root_builder(gun, now).issuer_name(name).public_key(key.public.loaded)
    return PublicKey.from_certificates([builder.sign(certifying(key), hashes.SHA256())])


def _certified_by_others(public: PublicKey, gun: str, now: datetime) -> PublicKey:
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ONE_TIME_ISSUER)])
    builder = _root_builder(gun, now).issuer_name(issuer).public_key(public.loaded)
    return PublicKey.from_certificates([builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())])


def _root_builder(gun: str, now: datetime) -> x509.CertificateBuilder:
    usage = dict.fromkeys(_OTHER_USAGES, False) | {"digital_signature": True, "key_encipherment": True}
    return (
        x509.CertificateBuilder()
        .subject_name(_name_of(gun))
        .serial_number(secrets.randbits(127) | 1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=ROOT_CERTIFICATE_DAYS))
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )


def _name_of(gun: str) -> x509.Name:
    """Name a GUN of any length: RFC 5280 ends a common name at 64 characters, Notary and Go do not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, gun, _validate=False)])


def certificate_request(key: PrivateKey, common_name: str) -> str:
    """Write the PEM request that a certificate authority needs to certify `key`.

    Raises:
        InvalidKey: the key is an Ed25519 one, or the name is empty or longer than 64 characters.
    """
    if not 0 < len(common_name) <= LONGEST_COMMON_NAME:
        raise InvalidKey("A certificate's common name has 1 to 64 characters.", next_step="Choose a shorter name.")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(certifying(key), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


_OTHER_USAGES = (
    "content_commitment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
