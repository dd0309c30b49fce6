"""Signed tokens in the compact form of JWS (RFC 7515): read, check one signature, write.

What a token says, who issued it and whether the key may be believed is for the caller. Only the public-key algorithms
that registries use exist here: neither `none` nor a shared secret can be named.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from signing.trust.errors import MalformedMetadata
from signing.trust.tuf import canonical

LARGEST_TOKEN = 16 * 1024
SMALLEST_RSA_KEY = 2048

_TEXT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_RSA: Mapping[str, HashAlgorithm] = {"RS256": SHA256(), "RS384": SHA384(), "RS512": SHA512()}
_ECDSA: Mapping[str, tuple[type[ec.EllipticCurve], HashAlgorithm]] = {
    "ES256": (ec.SECP256R1, SHA256()),
    "ES384": (ec.SECP384R1, SHA384()),
    "ES512": (ec.SECP521R1, SHA512()),
}


class UnreadableToken(ValueError):
    """This is no token in the compact form."""


@dataclass(frozen=True, slots=True, repr=False)
class Jws:
    """One token as it came, nothing of it believed yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Jws:
        """Read a token.

        Raises:
            UnreadableToken: not three parts of base64url around two JSON objects, without duplicate members.
        """
        parts = text.split(".")
        if len(text) > LARGEST_TOKEN or len(parts) != 3:
            raise UnreadableToken("not three parts, or too long")
        header, claims, signature = (decode(part) for part in parts)
        return cls(_object(header), _object(claims), text.rpartition(".")[0].encode(), signature)

    def is_signed_by(self, key: object) -> bool:
        """Tell whether `key` made the signature with the algorithm the header names; the two have to fit."""
        algorithm = self.header.get("alg")
        if not isinstance(algorithm, str):
            return False
        try:
            if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA and key.key_size >= SMALLEST_RSA_KEY:
                key.verify(self.signature, self.signed, padding.PKCS1v15(), _RSA[algorithm])
                return True
            if isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA:
                curve, digest = _ECDSA[algorithm]
                size = (key.curve.key_size + 7) // 8
                if not isinstance(key.curve, curve) or len(self.signature) != 2 * size:
                    return False
                r, s = (int.from_bytes(half) for half in (self.signature[:size], self.signature[size:]))
                key.verify(encode_dss_signature(r, s), self.signed, ec.ECDSA(digest))
                return True
        except InvalidSignature:
            pass
        return False


def sign(claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, header: Mapping[str, Any]) -> str:
    """Write a token that a P-256 key signs."""
    head = orjson.dumps({"typ": "JWT", "alg": "ES256", **header})
    signed = f"{encode(head)}.{encode(orjson.dumps(dict(claims)))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{encode(r.to_bytes(32) + s.to_bytes(32))}"


def encode(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Read base64url without padding.

    Raises:
        UnreadableToken: it is something else.
    """
    if not _TEXT.fullmatch(text):
        raise UnreadableToken("not base64url")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise UnreadableToken("not base64url") from None


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = canonical.parse(data)
    except MalformedMetadata:
        value = None
    if not isinstance(value, dict):
        raise UnreadableToken("not a JSON object")
    return value
