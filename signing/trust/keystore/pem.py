"""Private key files exactly as docker and notary write and read them (reference 1.2, 1.3).

One PEM block with `gun`, `path` and `role` headers around PKCS#8. The encryption is PBES2 with PBKDF2 and AES-256-CBC,
and the key derivation always uses HMAC-SHA1 with 2048 rounds on their side: they ignore any other choice, so a file
written by a library's default looks to them like a wrong passphrase. Here every choice is read, so that such a file
can be imported, and theirs is written.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from signing.trust.errors import InvalidKey, InvalidName, WrongPassphrase
from signing.trust.keystore import der
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.roles import BASE_ROLES, ROOT

ROUNDS = 2048
MOST_ROUNDS = 10_000_000
LARGEST_FILE = 1024 * 1024

_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_AES_256_CBC = bytes.fromhex("60864801650304012a")
_EC_PUBLIC_KEY = bytes.fromhex("2a8648ce3d0201")
_RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
_NOTARY_ED25519 = bytes.fromhex("2b06010401da470f01")

_DIGESTS = {
    bytes.fromhex("2a864886f70d0207"): "sha1",
    bytes.fromhex("2a864886f70d0209"): "sha256",
    bytes.fromhex("2a864886f70d020b"): "sha512",
}

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----\n")
_HEADER = re.compile(r"([A-Za-z-]+): ?(.*)")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One PEM block of a key file, not opened."""

    kind: str
    headers: dict[str, str]
    body: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> KeyFile:
        """Find the first private key in `text`.

        Raises:
            InvalidKey: there is none.
        """
        text = text[:LARGEST_FILE].replace("\r\n", "\n")
        begin = _BEGIN.search(text)
        end = text.find(f"-----END {begin[1]}-----", begin.end()) if begin else -1
        if begin is None or end < 0:
            raise InvalidKey("There is no private key in this file.")
        kind, inner = begin[1], text[begin.end() : end]
        head, blank, body = inner.partition("\n\n")
        if not blank or not _HEADER.match(head):
            return cls(kind, {}, inner)
        found = (_HEADER.fullmatch(line) for line in head.splitlines())
        return cls(kind, {match[1].lower(): match[2].strip() for match in found if match}, body)

    @classmethod
    def parse_all(cls, text: str) -> list[KeyFile]:
        """Find every private key in `text`, as `notary key export` writes several into one file.

        Raises:
            InvalidKey: there is none, or one is torn.
        """
        text = text[:LARGEST_FILE].replace("\r\n", "\n")
        starts = [begin.start() for begin in _BEGIN.finditer(text)] or [0]
        return [cls.parse(text[start:end]) for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]

    def to_text(self, **headers: str) -> str:
        """Write the block again with further headers, in their order by name as notary has them.

        Raises:
            InvalidName: a header has characters that cannot be written there.
        """
        if not "".join(headers.values()).isprintable():
            raise InvalidName("A header of a key file has characters that cannot be written there.")
        lines = "".join(f"{name}: {value}\n" for name, value in sorted({**self.headers, **headers}.items()))
        return f"-----BEGIN {self.kind}-----\n{lines}\n{self.body.lstrip()}-----END {self.kind}-----\n"

    def without_header(self, name: str) -> KeyFile:
        """Give the block without one of its headers."""
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})

    @property
    def is_encrypted(self) -> bool:
        """Tell whether a passphrase is needed."""
        return self.kind == "ENCRYPTED PRIVATE KEY" or "dek-info" in self.headers

    @property
    def derivation(self) -> tuple[str, int]:
        """How an encrypted PKCS#8 file derives its key from a passphrase: the hash of PBKDF2, and its rounds.

        Raises:
            InvalidKey: it is of another kind, or cannot be read.
        """
        try:
            if self.kind != "ENCRYPTED PRIVATE KEY":
                raise ValueError("it is not an encrypted PKCS#8 file")
            data = base64.b64decode("".join(self.body.split()), validate=True)
            _, rounds, digest, _ = _pbes2_parameters(der.children(data, der.SEQUENCE, der.OCTETS)[0])
        except ValueError as error:
            raise InvalidKey(f"The encrypted key cannot be read: {error}.") from None
        return digest, rounds

    @property
    def role(self) -> str | None:
        """The `role` header: root, targets, snapshot or a signer's bare name."""
        return self.headers.get("role")

    @property
    def gun(self) -> str | None:
        """The `gun` header of repository keys."""
        return self.headers.get("gun")

    def open(self, passphrase: str) -> PrivateKey:
        """Open the key.

        Raises:
            WrongPassphrase: it does not open with this passphrase.
            InvalidKey: it is malformed, weak or of a kind docker does not read either.
        """
        if self.kind in ("ENCRYPTED PRIVATE KEY", "PRIVATE KEY"):
            return PrivateKey(self._pkcs8(passphrase))
        return PrivateKey(self._traditional(passphrase))

    def _pkcs8(self, passphrase: str) -> Any:
        try:
            data = base64.b64decode("".join(self.body.split()), validate=True)
        except ValueError:  # binascii's own error is one, and so is that for letters of other alphabets
            raise InvalidKey("The private key is not base64.") from None
        plain = _decrypt(data, passphrase) if self.is_encrypted else data
        try:
            return _load_pkcs8(plain)
        except ValueError:
            if self.is_encrypted:
                raise WrongPassphrase("The passphrase does not open this key.") from None
            raise InvalidKey("The private key cannot be read.") from None

    def _traditional(self, passphrase: str) -> Any:
        legacy = [f"{name}: {self.headers[key]}" for name, key in _LEGACY_HEADERS if key in self.headers]
        head = "\n".join(legacy) + "\n\n" if legacy else ""
        text = f"-----BEGIN {self.kind}-----\n{head}{self.body}-----END {self.kind}-----\n"
        secret = passphrase.encode() if self.is_encrypted else None
        try:
            return serialization.load_pem_private_key(text.encode(), secret)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            if self.is_encrypted:
                raise WrongPassphrase("The passphrase does not open this key.") from None
            raise InvalidKey("The private key cannot be read.") from None


_LEGACY_HEADERS = (("Proc-Type", "proc-type"), ("DEK-Info", "dek-info"))


def encrypt(key: PrivateKey, passphrase: str, role: str, gun: str | None = None) -> str:
    """Write a key file; an empty passphrase leaves it unencrypted, as docker does.

    `gun` is written for targets and snapshot keys only.

    Raises:
        InvalidName: the role or the GUN would break out of its line.
    """
    if not (role + (gun or "")).isprintable():
        raise InvalidName(f"{role[:80]!r} cannot be written into a key file.")
    headers = {"role": role}
    if gun and role in BASE_ROLES and role != ROOT:
        headers["gun"] = gun
    kind, data = "PRIVATE KEY", _to_pkcs8(key)
    if passphrase:
        kind, data = "ENCRYPTED PRIVATE KEY", _encrypt(data, passphrase)
    head = "".join(f"{name}: {value}\n" for name, value in sorted(headers.items()))
    encoded = base64.b64encode(data).decode()
    lines = "\n".join(encoded[start : start + 64] for start in range(0, len(encoded), 64))
    return f"-----BEGIN {kind}-----\n{head}\n{lines}\n-----END {kind}-----\n"


def decrypt(text: str, passphrase: str) -> PrivateKey:
    """Open the first private key in `text`.

    Raises:
        WrongPassphrase: it does not open with this passphrase.
        InvalidKey: there is none, or it cannot be used.
    """
    return KeyFile.parse(text).open(passphrase)


def public_pem(key: PrivateKey, role: str) -> str:
    """Write the public half as `docker trust key generate` does, with a `role` header."""
    first, _, rest = key.public.to_pem().partition("\n")
    return f"{first}\nrole: {role}\n\n{rest}"


def _derive(passphrase: str, salt: bytes, rounds: int, digest: str = "sha1") -> bytes:
    return hashlib.pbkdf2_hmac(digest, passphrase.encode(), salt, rounds, 32)


def _encrypt(plain: bytes, passphrase: str) -> bytes:
    salt, iv = os.urandom(8), os.urandom(16)
    padding = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES256(_derive(passphrase, salt, ROUNDS)), modes.CBC(iv)).encryptor()
    sealed = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    parameters = der.item(der.SEQUENCE, der.item(der.OCTETS, salt), der.integer(ROUNDS))
    derivation = der.item(der.SEQUENCE, der.item(der.OID, _PBKDF2), parameters)
    cipher = der.item(der.SEQUENCE, der.item(der.OID, _AES_256_CBC), der.item(der.OCTETS, iv))
    scheme = der.item(der.SEQUENCE, der.item(der.OID, _PBES2), der.item(der.SEQUENCE, derivation, cipher))
    return der.item(der.SEQUENCE, scheme, der.item(der.OCTETS, sealed))


def _decrypt(data: bytes, passphrase: str) -> bytes:
    """Open PBES2; the result still has its padding, which the reader of PKCS#8 passes over as Go's does."""
    try:
        scheme, sealed = der.children(data, der.SEQUENCE, der.OCTETS)[:2]
        salt, rounds, digest, iv = _pbes2_parameters(scheme)
        decryptor = Cipher(algorithms.AES256(_derive(passphrase, salt, rounds, digest)), modes.CBC(iv)).decryptor()
        return decryptor.update(sealed) + decryptor.finalize()
    except ValueError as error:
        raise InvalidKey(f"The encrypted key cannot be read: {error}.") from None


def _pbes2_parameters(scheme: bytes) -> tuple[bytes, int, str, bytes]:
    (_, algorithm), (_, parameters) = list(der.items(scheme))[:2]
    (_, derivation), (_, cipher) = list(der.items(parameters))[:2]
    (_, function), (_, pbkdf2) = list(der.items(derivation))[:2]
    (_, cipher_name), (_, iv) = list(der.items(cipher))[:2]
    if (algorithm, function, cipher_name) != (_PBES2, _PBKDF2, _AES_256_CBC):
        raise ValueError("only PBES2 with PBKDF2 and AES-256-CBC is read, as docker does")
    (_, salt), (_, rounds), *options = der.items(pbkdf2)
    count = int.from_bytes(rounds)
    if not 1 <= count <= MOST_ROUNDS or len(iv) != 16:
        raise ValueError("its parameters are out of range")
    return salt, count, _digest(options), iv


def _digest(options: list[tuple[int, bytes]]) -> str:
    """Find the hash of the key derivation among its optional parameters."""
    named = next((content for tag, content in options if tag == der.SEQUENCE), None)
    if named is None:
        return "sha1"
    digest = _DIGESTS.get(der.first(named)[1])
    if digest is None:
        raise ValueError("its key derivation uses an unknown hash")
    return digest


def _load_pkcs8(data: bytes) -> Any:
    """Read PrivateKeyInfo, which padding may follow.

    It is written anew for the library, which refuses the version 1 that Go writes for ECDSA.

    Raises:
        ValueError: this is no private key, as after a wrong passphrase.
        InvalidKey: a key of a kind docker does not read either.
    """
    _, algorithm, inner = der.children(data, der.INTEGER, der.SEQUENCE, der.OCTETS)[:3]
    kind = der.first(algorithm)[1]
    try:
        if kind == _NOTARY_ED25519:
            return ed25519.Ed25519PrivateKey.from_private_bytes(inner[32:64])
        if kind == _RSA_ENCRYPTION:
            return serialization.load_der_private_key(inner, None)
        if kind == _EC_PUBLIC_KEY:
            return serialization.load_der_private_key(_private_key_info(0, algorithm, inner), None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError from error
    raise InvalidKey("Only ECDSA, RSA and Notary's own form of Ed25519 keys can be read.")


def _to_pkcs8(key: PrivateKey) -> bytes:
    loaded = key.loaded
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        public, seed = key.public.public, loaded.private_bytes_raw()
        return _private_key_info(0, der.item(der.OID, _NOTARY_ED25519), public + seed + public)
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    inner = loaded.private_bytes(serialization.Encoding.DER, traditional, serialization.NoEncryption())
    if isinstance(loaded, rsa.RSAPrivateKey):
        return _private_key_info(0, der.item(der.OID, _RSA_ENCRYPTION), inner)
    curve = der.item(der.OID, _CURVES[loaded.curve.name])
    return _private_key_info(1, der.item(der.OID, _EC_PUBLIC_KEY) + curve, inner)


_CURVES = {
    ec.SECP256R1.name: bytes.fromhex("2a8648ce3d030107"),
    ec.SECP384R1.name: bytes.fromhex("2b81040022"),
    ec.SECP521R1.name: bytes.fromhex("2b81040023"),
}


def _private_key_info(version: int, algorithm: bytes, inner: bytes) -> bytes:
    return der.item(der.SEQUENCE, der.integer(version), der.item(der.SEQUENCE, algorithm), der.item(der.OCTETS, inner))
