"""Issue the tokens that let docker and notary into a trust server (the Docker registry's token protocol).

Issuing writes no audit event: clients fetch a token for every few requests. What they then publish is on the trust
server's changefeed.
"""

from __future__ import annotations

import base64
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core import signing as signatures
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from signing import jws
from signing.models import User
from signing.selectors.registry_tokens import Scope, granted_actions
from signing.trust.errors import InvalidInput

LIFETIME = timedelta(minutes=5)
REFRESH_LIFETIME = timedelta(days=90)
SKEW = timedelta(seconds=30)
MOST_SCOPES = 20

_REFRESH = "registry refresh token"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token and its times; `text` is a secret until it expires."""

    text: str
    issued_at: datetime
    lifetime: timedelta
    scope: str

    def __repr__(self) -> str:
        return f"IssuedToken(issued_at={self.issued_at!r})"


def is_token_issuer() -> bool:
    """Tell whether this installation was given a key to sign tokens with."""
    return bool(settings.TOKEN_KEY and settings.TOKEN_CERTIFICATE)


def issue_token(*, user: User | None, service: str, scopes: Sequence[str]) -> IssuedToken:
    """Grant what this person may do of what is asked for; nobody in particular gets a token that grants nothing.

    Asking for too much is no error in this protocol: the token grants less, and the trust server refuses. Who came with
    an API token gets no more than that one allows.

    Raises:
        InvalidInput: another service's, or a scope that cannot be read.
    """
    if service != settings.TOKEN_SERVICE:
        raise InvalidInput(f"Tokens for {service[:80]!r} are not made here.")
    if len(scopes) > MOST_SCOPES:
        raise InvalidInput(f"A token can be asked for at most {MOST_SCOPES} scopes.")
    access: list[dict[str, Any]] = []
    for scope in map(Scope.parse, scopes):
        if actions := list(granted_actions(user, scope)):
            access.append({"type": scope.kind, "name": scope.name, "actions": actions})
    key, chain = _signing_key(settings.TOKEN_KEY, settings.TOKEN_CERTIFICATE)
    now = timezone.now()
    claims = {
        "iss": settings.TOKEN_ISSUER,
        "sub": user.username if user else "",
        "aud": service,
        "iat": int(now.timestamp()),
        "nbf": int((now - SKEW).timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": str(uuid.uuid4()),
        "access": access,
    }
    log.info("a token for %s grants %s", claims["sub"] or "nobody in particular", access)
    granted = " ".join(f"{entry['type']}:{entry['name']}:{','.join(entry['actions'])}" for entry in access)
    return IssuedToken(jws.sign(claims, key, {"x5c": list(chain)}), now, LIFETIME, granted)


def refresh_token_for(user: User) -> str:
    """Give what docker keeps in place of a password.

    It is good for tokens only, and until the password changes or 90 days are over.
    """
    return signatures.dumps([user.pk, user.get_session_auth_hash()], salt=_REFRESH)


def user_of_refresh_token(text: str) -> User | None:
    """Find whose refresh token this is; None where it is no good any more."""
    try:
        pk, password = signatures.loads(text, salt=_REFRESH, max_age=REFRESH_LIFETIME)
    except signatures.BadSignature:
        return None
    user = User.objects.filter(pk=pk, is_active=True, must_change_password=False).first()
    return user if user and constant_time_compare(password, user.get_session_auth_hash()) else None


@lru_cache(maxsize=1)
def _signing_key(key_pem: str, certificates_pem: str) -> tuple[ec.EllipticCurvePrivateKey, tuple[str, ...]]:
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
        chain = x509.load_pem_x509_certificates(certificates_pem.encode())
    except ValueError:
        raise ImproperlyConfigured("TOKEN_KEY or TOKEN_CERTIFICATE cannot be read; both are PEM.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ImproperlyConfigured("TOKEN_KEY must be an ECDSA key on P-256; `manage.py make_token_issuer` writes one.")
    if chain[0].public_key() != key.public_key():
        raise ImproperlyConfigured("TOKEN_CERTIFICATE begins with a certificate of another key than TOKEN_KEY.")
    encoding = serialization.Encoding.DER
    return key, tuple(base64.b64encode(certificate.public_bytes(encoding)).decode() for certificate in chain)
