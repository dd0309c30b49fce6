"""Let the signing worker into this installation's own trust servers, which believe what it signs itself.

It then needs nobody's password and no dashboard that answers. The tokens are those of the registry's protocol, like the
ones the dashboard issues to people.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from signing import jws

LIFE_SECONDS = 300
SKEW_SECONDS = 30
SUBJECT = "signing-worker"


@dataclass(frozen=True, slots=True)
class OwnTokens:
    """Answers in place of a token service; `key` and `chain` are PEM."""

    key: str = field(repr=False)
    chain: str
    issuer: str

    def __call__(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, bytes]:
        """Give status and body as a token service would for the scope and the service that `url` asks for."""
        asked = parse_qs(urlsplit(url).query)
        kind, _, rest = asked["scope"][0].partition(":")
        name, _, actions = rest.rpartition(":")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": asked.get("service", [""])[0],
            "iat": now,
            "nbf": now - SKEW_SECONDS,
            "exp": now + LIFE_SECONDS,
            "jti": str(uuid.uuid4()),
            "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }
        token = jws.sign(claims, self._signing_key(), {"x5c": self._certificates()})
        return 200, orjson.dumps({"token": token, "expires_in": LIFE_SECONDS})

    def _signing_key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self.key.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("WORKER_TOKEN_KEY has to be an ECDSA key on P-256")
        return key

    def _certificates(self) -> list[str]:
        der = serialization.Encoding.DER
        chain = x509.load_pem_x509_certificates(self.chain.encode())
        return [base64.b64encode(certificate.public_bytes(der)).decode() for certificate in chain]
