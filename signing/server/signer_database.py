"""The database of notary-signer: its keys, each encrypted under a passphrase (a JWE, RFC 7516 and 7518 4.8)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from signing.jws import UnreadableToken, decode, encode
from signing.trust.errors import InvalidInput, InvalidKey, WrongPassphrase
from signing.trust.keystore.base import PrivateKey

KEY_WRAP, CIPHER = "PBES2-HS256+A128KW", "A256GCM"
ITERATIONS = 8192
MOST_ITERATIONS = 10_000_000


class SignerDatabase:
    """One notary-signer's PostgreSQL database."""

    def __init__(self, url: str, passphrase: str, alias: str = "") -> None:
        self._url = url
        self._passphrase = passphrase
        self._alias = alias

    def open(self, gun: str, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give those of these keys that it holds.

        Raises:
            WrongPassphrase: one does not open with the passphrase.
            InvalidKey: what opens is not the key it should be.
        """
        with _connected(self._url) as connection:
            rows = connection.execute(
                "SELECT key_id, algorithm, private FROM private_keys"
                " WHERE gun = %s AND role = %s AND key_id = ANY(%s) AND deleted_at IS NULL",
                (gun, role, list(keyids)),
            ).fetchall()
        return [self._opened(key_id, algorithm, bytes(private)) for key_id, algorithm, private in rows]

    def add(self, gun: str, role: str, keys: Sequence[PrivateKey]) -> None:
        """Put keys in for the passphrase's alias; those it has stay as they are."""
        now = datetime.now(UTC)
        with _connected(self._url) as connection:
            for key in keys:
                connection.execute(
                    "INSERT INTO private_keys (created_at, updated_at, key_id, encryption_alg, keywrap_alg, algorithm,"
                    " passphrase_alias, gun, role, public, private, last_used)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key_id) DO NOTHING",
                    (
                        *(now, now, key.key_id, CIPHER, KEY_WRAP, key.public.keytype, self._alias, gun, role),
                        *(key.public.public, encrypt(_raw(key), self._passphrase), now),
                    ),
                )

    def _opened(self, key_id: str, algorithm: str, private: bytes) -> PrivateKey:
        raw = decrypt(private.decode(), self._passphrase)
        try:
            if algorithm == "ed25519":
                loaded: Any = ed25519.Ed25519PrivateKey.from_private_bytes(
                    raw[32:64]
                )  # between two copies of the public half
            else:
                loaded = serialization.load_der_private_key(raw, password=None)
            key = PrivateKey(loaded)
        except ValueError:
            raise InvalidKey(f"The signer's key {key_id[:12]} is none this program can read.") from None
        if key.key_id != key_id:
            raise InvalidKey(f"What the signer's database holds as {key_id[:12]} is another key.")
        return key


def decrypt(token: str, passphrase: str) -> bytes:
    """Open a JWE of notary-signer's.

    Raises:
        WrongPassphrase: it does not open.
    """
    try:
        head, wrapped, nonce, ciphertext, tag = token.split(".")
        header = orjson.loads(decode(head))
        if (header["alg"], header["enc"]) != (KEY_WRAP, CIPHER) or not 0 < header["p2c"] <= MOST_ITERATIONS:
            raise InvalidKey("The signer's keys are encrypted in a way this program does not know.")
        kek = _derived(passphrase, decode(header["p2s"]), header["p2c"])
        key = aes_key_unwrap(kek, decode(wrapped))
        return AESGCM(key).decrypt(decode(nonce), decode(ciphertext) + decode(tag), head.encode())
    except (InvalidUnwrap, InvalidTag, UnreadableToken, KeyError, ValueError):
        raise WrongPassphrase("The signer's keys do not open with this passphrase.") from None


def encrypt(plaintext: bytes, passphrase: str) -> bytes:
    """Write a JWE as notary-signer does."""
    salt, key, nonce = os.urandom(12), os.urandom(32), os.urandom(12)
    head = encode(orjson.dumps({"alg": KEY_WRAP, "enc": CIPHER, "p2c": ITERATIONS, "p2s": encode(salt)}))
    wrapped = aes_key_wrap(_derived(passphrase, salt, ITERATIONS), key)
    sealed = AESGCM(key).encrypt(nonce, plaintext, head.encode())
    parts = (wrapped, nonce, sealed[:-16], sealed[-16:])
    return ".".join((head, *map(encode, parts))).encode()


def _derived(passphrase: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), KEY_WRAP.encode() + b"\0" + salt, iterations, 16)


def _raw(key: PrivateKey) -> bytes:
    loaded = key.loaded
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        public = loaded.public_key().public_bytes_raw()
        return public + loaded.private_bytes_raw() + public
    form = serialization.PrivateFormat.TraditionalOpenSSL
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise InvalidKey("notary-signer's keys are ECDSA or Ed25519.")
    return loaded.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    try:
        with psycopg.connect(url) as connection:
            yield connection
    except psycopg.Error as error:
        raise InvalidInput(f"The database of notary's does not answer as it should: {error}") from None
