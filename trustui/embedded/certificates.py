"""Mint the certificates of servers, under a certificate authority of this installation alone."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trustui.embedded.place import private_folder
from trustui.embedded.secrets import replace

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # what clients accept at most
RENEW_BEFORE = datetime.timedelta(days=30)
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of one trust server: what clients trust, and what the server shows and proves."""

    ca: Path
    server: Path
    server_key: Path


def ensure(var: Path, now: datetime.datetime | None = None) -> Certificates:
    """Mint what is missing or nearly over for a trust server on this machine alone."""
    folder = private_folder(var / "tls")
    now = now or datetime.datetime.now(datetime.UTC)
    ca = ensure_authority(folder, now)
    return Certificates(ca, *ensure_issued(folder, "server", LOCAL_NAMES, now))


def ensure_authority(folder: Path, now: datetime.datetime) -> Path:
    """Mint the authority if there is none, and give its certificate; its key lies beside it.

    A new one is minted only when the old one nears its own end: everybody who trusts it has to be told.
    """
    ca, key = _authority(folder)
    if not _is_fresh(ca, now) or not key.exists():
        _mint_authority(ca, key, now)
    return ca


def ensure_issued(folder: Path, name: str, hosts: Sequence[str], now: datetime.datetime) -> tuple[Path, Path]:
    """Mint NAME's certificate for these hosts unless a good one is there; give its file and its key's.

    It serves a server and a client alike, so that two programs can prove themselves to each other.
    """
    certificate, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    ca, _ = _authority(folder)
    if not key.exists() or not _is_fresh(certificate, now) or not _is_for(certificate, ca, hosts):
        _mint(certificate, key, _authority(folder), hosts, now)
    return certificate, key


def _authority(folder: Path) -> tuple[Path, Path]:
    return folder / "ca.pem", folder / "ca-key.pem"


def _is_fresh(path: Path, now: datetime.datetime) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_after_utc - now > RENEW_BEFORE


def _is_for(path: Path, ca: Path, hosts: Sequence[str]) -> bool:
    certificate, authority = (x509.load_pem_x509_certificate(file.read_bytes()) for file in (path, ca))
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, InvalidSignature):
        return False
    return named == _alternative_names(hosts)


def _mint_authority(path: Path, key_path: Path, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TrustUI local trust server CA")])
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    replace(key_path, _pkcs8(key))
    replace(path, _pem(certificate))


def _mint(
    path: Path, key_path: Path, authority_files: tuple[Path, Path], hosts: Sequence[str], now: datetime.datetime
) -> None:
    authority = x509.load_pem_x509_certificate(authority_files[0].read_bytes())
    authority_key = serialization.load_pem_private_key(authority_files[1].read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{authority_files[1]} is not the key this program wrote")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        _builder(name, authority.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(_alternative_names(hosts), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    replace(key_path, _pkcs8(key))
    replace(path, _pem(certificate))


def _alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative_name(host) for host in hosts])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks differ a little
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in USAGES})


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pkcs8(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
