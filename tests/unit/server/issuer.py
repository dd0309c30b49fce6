"""A token issuer of a test, and the forgers beside it."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from signing import jws

DAY = datetime.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificate(
    subject: str, key: Key, issuer: str, issuer_key: Key, *, ca: bool = False, days: tuple[int, int] = (-1, 30)
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * DAY)
        .not_valid_after(now + days[1] * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def x5c(*chain: x509.Certificate) -> list[str]:
    return [base64.b64encode(c.public_bytes(serialization.Encoding.DER)).decode() for c in chain]


@dataclass
class Issuer:
    """Somebody who signs tokens with one key; its own certificate is the bundle."""

    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    name: str = "issuer of a test"

    def __post_init__(self) -> None:
        self.certificate = certificate(self.name, self.key, self.name, self.key, ca=True)

    @property
    def bundle(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def claims(self, *access: tuple[str, str, list[str]], **changed: Any) -> dict[str, Any]:
        now = int(datetime.datetime.now(datetime.UTC).timestamp())
        return {
            "iss": self.name,
            "aud": "notary",
            "sub": "alice",
            "exp": now + 300,
            "nbf": now - 10,
            "access": [{"type": kind, "name": name, "actions": actions} for kind, name, actions in access],
        } | changed

    def token(self, claims: dict[str, Any], **header: Any) -> str:
        header = header or {"x5c": x5c(self.certificate)}
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return jws.sign(claims, self.key, header)
        return rsa_token(self.key, claims, header)


def rsa_token(key: rsa.RSAPrivateKey, claims: dict[str, Any], header: dict[str, Any]) -> str:
    signed = unsigned(claims, {"typ": "JWT", "alg": "RS256", **header})
    return f"{signed}.{jws.encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def unsigned(claims: dict[str, Any], header: dict[str, Any]) -> str:
    return f"{jws.encode(orjson.dumps(header))}.{jws.encode(orjson.dumps(claims))}"
