"""Tokens that let a client in, as registries use them: a JWT whose issuer's certificates the operator named."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.jws import Jws, UnreadableToken, encode

LEEWAY = timedelta(seconds=60)
LONGEST_CHAIN = 5
TOKENS_KEPT = 1024


class InvalidToken(Exception):
    """This token lets nobody in; the text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a valid token allows: actions by type and name of the thing."""

    subject: str
    actions: Mapping[tuple[str, str], frozenset[str]]

    def allow(self, kind: str, name: str, actions: Sequence[str]) -> bool:
        """Tell whether every action is granted; `*` stands for all, and `notary key rotate` asks for nothing else."""
        granted = self.actions.get((kind, name), frozenset())
        return "*" in granted or granted.issuperset(actions)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A token whose signature is good, and until when its certificates are."""

    claims: Mapping[str, Any]
    not_before: datetime
    not_after: datetime


class TokenVerifier:
    """Checks tokens of one issuer for one service."""

    def __init__(self, issuer: str, service: str, bundle: Sequence[x509.Certificate]) -> None:
        self._issuer = issuer
        self._service = service
        self._roots = tuple(bundle)
        self._by_id = {key_id: root for root in self._roots for key_id in key_ids(root.public_key())}
        self._checked = lru_cache(maxsize=TOKENS_KEPT)(self._check_signature)

    def verify(self, text: str, now: datetime) -> Grants:
        """Give what the token allows.

        Raises:
            InvalidToken: signature, issuer, audience or time does not hold.
        """
        checked = self._checked(text)
        claims = checked.claims
        if claims.get("iss") != self._issuer:
            raise InvalidToken("another issuer made it")
        audience = claims.get("aud")
        if self._service not in (audience if isinstance(audience, list) else [audience]):
            raise InvalidToken("it is for another service")
        if not checked.not_before <= now + LEEWAY or not now <= checked.not_after:
            raise InvalidToken("its issuer's certificate is not valid now")
        if not _seconds(claims, "exp") > (now - LEEWAY).timestamp():
            raise InvalidToken("its time is over")
        if "nbf" in claims and _seconds(claims, "nbf") > (now + LEEWAY).timestamp():
            raise InvalidToken("its time has not come")
        return _grants(claims)

    def _check_signature(self, text: str) -> _Checked:
        try:
            jws = Jws.parse(text)
        except UnreadableToken as error:
            raise InvalidToken(f"it cannot be read: {error}") from None
        if "crit" in jws.header:
            raise InvalidToken("it asks for extensions")
        chain = self._trusted_chain(jws.header)
        if not jws.is_signed_by(chain[0].public_key()):
            raise InvalidToken("its signature does not hold")
        not_before = max(certificate.not_valid_before_utc for certificate in chain)
        not_after = min(certificate.not_valid_after_utc for certificate in chain)
        return _Checked(jws.claims, not_before, not_after)

    def _trusted_chain(self, header: Mapping[str, Any]) -> list[x509.Certificate]:
        """Find the certificate of the signing key, followed by what it rests on; times are checked later."""
        if "x5c" in header:
            return self._anchored(_certificates(header["x5c"]))
        key_id = _jwk_thumbprint(header["jwk"]) if "jwk" in header else header.get("kid")
        if not isinstance(key_id, str) or key_id not in self._by_id:
            raise InvalidToken("the bundle does not hold its key")
        return [self._by_id[key_id]]

    def _anchored(self, sent: Sequence[x509.Certificate]) -> list[x509.Certificate]:
        chain = [sent[0]]
        rest = list(sent[1:])
        while chain[-1] not in self._roots:
            issuer = next((c for c in (*self._roots, *rest) if _issued(c, chain[-1])), None)
            if issuer is None or len(chain) == LONGEST_CHAIN:
                raise InvalidToken("its certificate does not lead to the bundle")
            chain.append(issuer)
        return chain


def read_bundle(pem: bytes) -> list[x509.Certificate]:
    """Read the certificates of the issuers to believe.

    Raises:
        ValueError: there is none.
    """
    return x509.load_pem_x509_certificates(pem)


def key_ids(key: object) -> tuple[str, ...]:
    """Give the names that issuers use for a key: libtrust's, the one of RFC 7638, and the plain hash."""
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return ()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.sha256(der).digest()
    short = base64.b32encode(digest[:30]).decode()
    libtrust = ":".join(short[start : start + 4] for start in range(0, len(short), 4))
    return (libtrust, _thumbprint(_as_jwk(key)), digest.hex())


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _certificates(x5c: object) -> list[x509.Certificate]:
    if not isinstance(x5c, list) or not 0 < len(x5c) <= LONGEST_CHAIN:
        raise InvalidToken("its certificates cannot be read")
    try:
        return [x509.load_der_x509_certificate(base64.b64decode(str(one), validate=True)) for one in x5c]
    except (ValueError, binascii.Error):
        raise InvalidToken("its certificates cannot be read") from None


def _jwk_thumbprint(jwk: object) -> str:
    if not isinstance(jwk, dict):
        raise InvalidToken("its key cannot be read")
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}.get(str(jwk.get("kty")), ())
    if not members or not all(isinstance(jwk.get(name), str) for name in members):
        raise InvalidToken("its key cannot be read")
    return _thumbprint({name: jwk[name] for name in members})


def _as_jwk(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    size = (numbers.curve.key_size + 7) // 8
    curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(numbers.curve.name, "")
    return {"crv": curve, "kty": "EC", "x": _number(numbers.x, size), "y": _number(numbers.y, size)}


def _number(value: int, size: int = 0) -> str:
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8))


def _thumbprint(jwk: Mapping[str, str]) -> str:
    return encode(hashlib.sha256(orjson.dumps(dict(sorted(jwk.items())))).digest())


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:
        raise InvalidToken(f"it has no {name}")
    return value


def _grants(claims: Mapping[str, Any]) -> Grants:
    actions: dict[tuple[str, str], frozenset[str]] = {}
    for entry in claims.get("access") or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("actions"), list):
            raise InvalidToken("its access cannot be read")
        key = (str(entry.get("type")), str(entry.get("name")))
        actions[key] = actions.get(key, frozenset()) | frozenset(str(action) for action in entry["actions"])
    return Grants(str(claims.get("sub", "")), actions)
