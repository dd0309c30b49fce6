"""The short reader of certificates against the library: what it reads, the library reads in the same way."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.errors import InvalidKey
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.tuf.keys import PublicKey, common_names
from signing.trust.tuf.plain_certificate import PlainCertificate, read_plain_certificate
from tests.unit.trust import samples

# Names of repositories may be longer than those of people.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning")

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = PrivateKey.generate()
PEM = root_certificate(KEY, "reg.example:5000/team/app", NOON).public
DER = x509.load_pem_x509_certificate(PEM).public_bytes(serialization.Encoding.DER)


def as_pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return b"\n".join([b"-----BEGIN CERTIFICATE-----", *lines, b"-----END CERTIFICATE-----", b""])


def by_the_library(pem: bytes) -> PlainCertificate:
    """Read what counts, and require what the plain form implies."""
    certificate = x509.load_pem_x509_certificate(pem)
    (name,) = common_names(certificate)
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert certificate.issuer == certificate.subject
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PlainCertificate(name, certificate.not_valid_before_utc, certificate.not_valid_after_utc, spki)


@pytest.mark.parametrize("gun", ["a", "reg.example:5000/team/app", "r/" + "long" * 60, "r/ünïcödé", "*"])
@pytest.mark.parametrize("year", [1999, 2026, 2039, 2045, 2060])
def test_our_certificates_are_plain(gun: str, year: int) -> None:
    pem = root_certificate(KEY, gun, datetime(year, 3, 4, 5, 6, 7, tzinfo=UTC)).public
    assert read_plain_certificate(pem) == by_the_library(pem)


def test_the_certificates_of_go_are_plain() -> None:
    keys = json.loads(samples.metadata("root"))["signed"]["keys"].values()
    certified = [key for key in map(PublicKey.from_json, keys) if key.is_certified]
    assert certified
    for key in certified:
        assert key.plain_certificate == by_the_library(key.public)


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_one_changed_byte_reads_as_the_library_reads_it_or_not_at_all(at: int, value: int) -> None:
    require_agreement(as_pem(DER[:at] + bytes([value]) + DER[at + 1 :]))


def test_any_flipped_bit_reads_as_the_library_reads_it_or_not_at_all() -> None:
    read = [
        require_agreement(as_pem(DER[:at] + bytes([DER[at] ^ bit]) + DER[at + 1 :]))
        for at in range(len(DER) - SIGNATURE)
        for bit in BITS
    ]
    assert any(read)
    assert not all(read)


@given(st.integers(0, len(DER)), st.integers(0, 12), st.binary(max_size=12))
def test_a_replaced_piece_reads_as_the_library_reads_it_or_not_at_all(at: int, length: int, piece: bytes) -> None:
    require_agreement(as_pem(DER[:at] + piece + DER[at + length :]))


@given(st.integers(0, len(PEM) - 1), st.integers(0, 255))
def test_one_changed_character_reads_as_the_library_reads_it_or_not_at_all(at: int, value: int) -> None:
    require_agreement(PEM[:at] + bytes([value]) + PEM[at + 1 :])


def require_agreement(pem: bytes) -> bool:
    plain = read_plain_certificate(pem)
    if plain is None:
        return False
    if _is_on_the_curve(pem):
        assert plain == by_the_library(pem)
    else:
        with pytest.raises(InvalidKey):
            PublicKey("ecdsa-x509", pem).loaded  # noqa: B018  it is loaded where it is asked for
    return True


def _is_on_the_curve(pem: bytes) -> bool:
    try:
        x509.load_pem_x509_certificate(pem).public_key()
    except ValueError:
        return False
    return True


def built(
    *extensions: tuple[x509.ExtensionType, bool],
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    names: tuple[str, ...] = ("r/app",),
    issuer: str = "r/app",
    algorithm: hashes.SHA256 | hashes.SHA384 | None = None,
) -> bytes:
    secret = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]),
        issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
        public_key=secret.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=NOON,
        not_valid_after=NOON + timedelta(days=1),
    )
    for extension, critical in extensions or USUAL:
        builder = builder.add_extension(extension, critical)
    return builder.sign(secret, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def usage(**more: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        **{**dict.fromkeys(OTHER_USAGES, False), "digital_signature": True, "key_encipherment": True, **more}
    )


OTHER_USAGES = (
    "content_commitment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


CODE_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
LEAF = x509.BasicConstraints(ca=False, path_length=None)
USUAL = ((usage(), True), (CODE_SIGNING, False), (LEAF, True))
BITS = (1, 2, 4, 8, 16, 32, 64, 128)


SIGNATURE = 60
"""The last bytes are the signature's, which nobody checks: a root's key has to be right, whoever certified it."""


def test_the_usual_one_is_plain() -> None:
    pem = built()
    assert read_plain_certificate(pem) == by_the_library(pem)


@pytest.mark.parametrize(
    "pem",
    [
        pytest.param(
            built((usage(key_cert_sign=True), True), (CODE_SIGNING, False), (LEAF, True)), id="may sign others"
        ),
        pytest.param(
            built((usage(), True), (CODE_SIGNING, False), (x509.BasicConstraints(ca=True, path_length=None), True)),
            id="an authority",
        ),
        pytest.param(built((usage(), True), (CODE_SIGNING, False)), id="without constraints"),
        pytest.param(built(*USUAL, (x509.SubjectAlternativeName([x509.DNSName("x")]), False)), id="other extensions"),
        pytest.param(built(*reversed(USUAL)), id="another order"),
        pytest.param(built(key=ec.generate_private_key(ec.SECP384R1())), id="P-384"),
        pytest.param(built(key=rsa.generate_private_key(65537, 2048)), id="RSA"),
        pytest.param(built(algorithm=hashes.SHA384()), id="SHA-384"),
        pytest.param(built(names=("r/app", "r/other")), id="two names"),
        pytest.param(built(issuer="somebody else"), id="issued by another"),
        pytest.param(PEM + PEM, id="two certificates"),
        pytest.param(PEM[:-1], id="without the last line end"),
        pytest.param(PEM.replace(b"\n", b"\r\n"), id="other line ends"),
        pytest.param(b"text\n" + PEM, id="text before it"),
        pytest.param(PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"), id="another label"),
        pytest.param(as_pem(DER + b"\0"), id="something after it"),
        pytest.param(as_pem(DER[:-1]), id="cut short"),
        pytest.param(as_pem(b"\x30\x80" + DER[4:] + b"\0\0"), id="of indefinite length"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_any_other_form_is_left_to_the_library(pem: bytes) -> None:
    assert read_plain_certificate(pem) is None
