"""Public keys as Notary names them, and the four ways a signature may be made."""

from __future__ import annotations

import base64
import hashlib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from signing.trust.errors import InvalidKey, MalformedMetadata
from signing.trust.tuf import canonical, shape
from signing.trust.tuf.plain_certificate import P256_BEGIN, P256_BYTES, PlainCertificate, read_plain_certificate

if TYPE_CHECKING:
    from cryptography import x509

# The library's readers of certificates and of key files are imported where they are used: loading them takes longer
# than verifying a repository, whose keys and certificates mostly have a form that needs neither.

AnyPublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

KEYTYPES = ("ecdsa", "rsa", "ed25519", "ecdsa-x509", "rsa-x509")
SMALLEST_RSA = 2048
LARGEST_PEM = 1024 * 1024
CLOCK_LEEWAY = timedelta(days=1)

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_PEM_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_HEADER_LINE = re.compile(rb"^[A-Za-z-]+: .*\n", re.MULTILINE)


@dataclass(frozen=True)
class PublicKey:
    """One key as it stands in metadata.

    `public` holds what Notary hashes: DER SubjectPublicKeyInfo for `ecdsa` and `rsa`, 32 raw bytes for `ed25519`, and
    the PEM text of certificates, leaf first, for the `-x509` types. Whether it can be loaded shows when it is used.
    """

    keytype: str
    public: bytes

    @cached_property
    def key_id(self) -> str:
        """The TUF id: SHA-256 over the key's canonical JSON, lower-case hex."""
        return hashlib.sha256(canonical.encode(self.to_json())).hexdigest()

    @cached_property
    def canonical_id(self) -> str:
        """The id of the bare key: key files are named by it, and a certificate has the id of its key here."""
        return self.bare.key_id

    @cached_property
    def bare(self) -> PublicKey:
        """The same key without a certificate around it."""
        if not self.is_certified:
            return self
        return PublicKey(self.family, self.material)

    @property
    def family(self) -> str:
        """The kind of the bare key: ecdsa, rsa or ed25519."""
        return self.keytype.removesuffix("-x509")

    @property
    def is_certified(self) -> bool:
        """Tell whether a certificate is around the key."""
        return self.keytype.endswith("-x509")

    @cached_property
    def plain_certificate(self) -> PlainCertificate | None:
        """What the certificate around the key says, if it is a single one in the form Notary's clients make."""
        return read_plain_certificate(self.public) if self.is_certified else None

    @cached_property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates around the key, leaf first; none around a bare one.

        Raises:
            InvalidKey: they cannot be read.
        """
        if not self.is_certified:
            return ()
        from cryptography import x509

        try:
            return tuple(x509.load_pem_x509_certificates(self.public))
        except (ValueError, x509.InvalidVersion):
            raise InvalidKey("The certificate of a key cannot be read.") from None

    @cached_property
    def loaded(self) -> AnyPublicKey:
        """The key ready for use.

        Raises:
            InvalidKey: malformed, of a kind Notary does not know, weak, or of another kind than `keytype` says.
        """
        key = check_strength(self._load())
        if _family(key) != self.family:
            raise InvalidKey(f"A key of type {self.keytype} is one of type {_family(key)} in truth.")
        return key

    @cached_property
    def material(self) -> bytes:
        """The one encoding of the bare key that is the same however metadata wrote it; tells two keys from one.

        Raises:
            InvalidKey: it cannot be loaded.
        """
        key = self.loaded
        return self._plain_p256 or _subject_public_key_info(key)

    @cached_property
    def _plain_p256(self) -> bytes | None:
        """The SubjectPublicKeyInfo of a P-256 key as everybody writes it, with its point in full; None for others."""
        if self.is_certified:
            return self.plain_certificate.spki if self.plain_certificate else None
        is_one = len(self.public) == P256_BYTES and self.public.startswith(P256_BEGIN) and self.keytype == "ecdsa"
        return self.public if is_one else None

    def _load(self) -> Any:
        try:
            if self._plain_p256:
                point = self._plain_p256[len(P256_BEGIN) - 1 :]
                return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            if self.is_certified:
                return self.certificates[0].public_key()
            if self.keytype == "ed25519":
                return ed25519.Ed25519PublicKey.from_public_bytes(self.public)
            from cryptography.hazmat.primitives.serialization import load_der_public_key

            return load_der_public_key(self.public)
        except (ValueError, UnsupportedAlgorithm, IndexError):
            raise InvalidKey(f"A key of type {self.keytype} cannot be read.") from None

    def to_json(self) -> dict[str, Any]:
        """Give the key as metadata holds it."""
        public = base64.b64encode(self.public).decode()
        return {"keytype": self.keytype, "keyval": {"private": None, "public": public}}

    @classmethod
    def from_json(cls, value: Any) -> PublicKey:
        """Read a key from metadata.

        Raises:
            MalformedMetadata: it does not have the shape of a key.
        """
        members = shape.members(value, "a key in the metadata", ("keytype", "keyval"))
        keyval = shape.members(members["keyval"], "the value of a key in the metadata", ("public",), ("private",))
        keytype, public = members["keytype"], shape.binary(keyval["public"], "a public key in the metadata")
        if keytype not in KEYTYPES:
            raise MalformedMetadata(f"A key in the metadata is of an unknown type: {str(keytype)[:40]!r}.")
        if keyval.get("private") is not None:
            raise MalformedMetadata("A key in the metadata comes with a private half.")
        return cls(keytype, public)

    @classmethod
    def from_loaded(cls, key: AnyPublicKey) -> PublicKey:
        """Name a key of the cryptography library as Notary does.

        Raises:
            InvalidKey: of a kind Notary does not know, or weak.
        """
        key = check_strength(key)
        if isinstance(key, ed25519.Ed25519PublicKey):
            return cls("ed25519", key.public_bytes_raw())
        return cls(_family(key), _subject_public_key_info(key))

    @classmethod
    def from_pem(cls, text: str | bytes) -> PublicKey:
        """Read a signer's public key: a PUBLIC KEY, or a CERTIFICATE followed by its chain.

        PEM headers such as docker's `role:` are ignored. Certificates are re-written in the form Go hashes.

        Raises:
            InvalidKey: neither of both, or weak.
        """
        data = (text.encode() if isinstance(text, str) else text).replace(b"\r\n", b"\n")
        kind, start, end = _first_block(data[:LARGEST_PEM])
        if kind == "CERTIFICATE":
            return cls._from_certificates(data[start:LARGEST_PEM])
        if kind != "PUBLIC KEY":
            secret = " Never send a private key." if "PRIVATE" in kind else ""
            raise InvalidKey(f"A PUBLIC KEY or a CERTIFICATE is needed, this is a {kind[:40]}.{secret}")
        from cryptography.hazmat.primitives import serialization

        try:
            key = serialization.load_pem_public_key(_without_headers(data[start:end]))
        except (ValueError, UnsupportedAlgorithm):
            raise InvalidKey("The public key cannot be read.") from None
        if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise InvalidKey("A signer's key has to be an ECDSA or an RSA key.")
        return cls.from_loaded(key)

    @classmethod
    def _from_certificates(cls, data: bytes) -> PublicKey:
        from cryptography import x509

        try:
            certificates = x509.load_pem_x509_certificates(data)
        except (ValueError, x509.InvalidVersion):
            raise InvalidKey("The certificate cannot be read.") from None
        return cls.from_certificates(certificates)

    @classmethod
    def from_certificates(cls, certificates: list[x509.Certificate]) -> PublicKey:
        """Make an `-x509` key of a leaf and its chain.

        Raises:
            InvalidKey: the leaf's key is neither ECDSA nor RSA, or weak.
        """
        leaf = cls.from_loaded(cast(AnyPublicKey, certificates[0].public_key()))
        if leaf.keytype == "ed25519":
            raise InvalidKey("A certificate for an Ed25519 key cannot be used: Notary knows ECDSA and RSA ones.")
        from cryptography.hazmat.primitives import serialization

        text = b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in certificates)
        return cls(f"{leaf.keytype}-x509", text)

    def to_pem(self) -> str:
        """Write the bare key as a PUBLIC KEY block."""
        from cryptography.hazmat.primitives import serialization

        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.loaded.public_bytes(serialization.Encoding.PEM, spki).decode()

    def require_current(self, now: datetime) -> None:
        """Raise unless the certificate around the key, if there is one, may be given to a signer now (reference 1.3).

        Reading metadata does not check this: docker does not either, so a delegation outlives its certificate.

        Raises:
            InvalidKey: it is expired, not valid for another day or more, or signed with SHA-1.
        """
        for leaf in self.certificates[:1]:
            if isinstance(leaf.signature_hash_algorithm, hashes.SHA1):
                raise InvalidKey("The certificate is signed with SHA-1, which proves nothing.")
            if not leaf.not_valid_before_utc - CLOCK_LEEWAY <= now <= leaf.not_valid_after_utc:
                raise InvalidKey(
                    f"The certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to "
                    f"{leaf.not_valid_after_utc:%Y-%m-%d} only.",
                    next_step="Have the key certified anew.",
                )

    def verifies(self, method: str, signature: bytes, payload: bytes) -> bool:
        """Tell whether `signature` over `payload` was made by this key with a method meant for its type."""
        family, check = _METHODS.get(method.lower(), (None, None))
        if check is None or self.family != family:
            return False
        try:
            check(self.loaded, signature, payload)
        except (InvalidSignature, InvalidKey):
            return False
        return True


def common_names(certificate: x509.Certificate) -> list[str]:
    """Give the common names of a certificate's subject.

    GUNs of any length are names here: RFC 5280 ends one at 64 characters, and the library warns of longer ones.

    Raises:
        ValueError: the subject cannot be read.
    """
    from cryptography.x509.oid import NameOID

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
        return [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def check_strength(key: Any) -> AnyPublicKey:
    """Return `key` if Notary knows its kind and it is strong enough.

    Raises:
        InvalidKey: otherwise.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, _CURVES):
            return key
        raise InvalidKey(f"The curve {key.curve.name} is not accepted: use P-256, P-384 or P-521.")
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size >= SMALLEST_RSA:
            return key
        raise InvalidKey(f"An RSA key of {key.key_size} bits is too weak: use {SMALLEST_RSA} bits or more.")
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise InvalidKey("Notary knows ECDSA, RSA and Ed25519 keys only.")


def _family(key: AnyPublicKey) -> str:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return "rsa" if isinstance(key, rsa.RSAPublicKey) else "ecdsa"


def _subject_public_key_info(key: AnyPublicKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _first_block(data: bytes) -> tuple[str, int, int]:
    """Find the first PEM block: its kind, where it begins and where it ends."""
    begin = _PEM_BEGIN.search(data)
    footer = b"-----END " + begin[1] + b"-----" if begin else b""
    end = data.find(footer, begin.end()) if begin else -1
    if begin is None or end < 0:
        raise InvalidKey("There is no public key in this text: it has no PEM block.")
    return begin[1].decode(), begin.start(), end + len(footer)


def _without_headers(block: bytes) -> bytes:
    return _HEADER_LINE.sub(b"", block)


class _EcdsaToVerify(ec.ECDSA):
    """ECDSA with SHA-256 for verifying alone: the library's own asks OpenSSL first how signatures could be made."""

    def __init__(self) -> None:
        pass

    @property
    def algorithm(self) -> hashes.HashAlgorithm:
        return _SHA256

    @property
    def deterministic_signing(self) -> bool:
        return False


_SHA256 = hashes.SHA256()
_ECDSA_SHA256 = _EcdsaToVerify()


def _check_ecdsa(key: Any, signature: bytes, payload: bytes) -> None:
    size = (key.curve.key_size + 7) // 8
    if len(signature) != 2 * size:  # DER and any other form is refused, as Notary does
        raise InvalidSignature
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(r, s), payload, _ECDSA_SHA256)


def _check_rsapss(key: Any, signature: bytes, payload: bytes) -> None:
    key.verify(signature, payload, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def _check_rsapkcs1v15(key: Any, signature: bytes, payload: bytes) -> None:
    key.verify(signature, payload, padding.PKCS1v15(), hashes.SHA256())


def _check_eddsa(key: Any, signature: bytes, payload: bytes) -> None:
    key.verify(signature, payload)


_METHODS: dict[str, tuple[str, Callable[[Any, bytes, bytes], None]]] = {
    "ecdsa": ("ecdsa", _check_ecdsa),
    "rsapss": ("rsa", _check_rsapss),
    "rsapkcs1v15": ("rsa", _check_rsapkcs1v15),
    "eddsa": ("ed25519", _check_eddsa),
}
