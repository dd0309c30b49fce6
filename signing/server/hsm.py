"""The token on which the server makes its own keys, where the settings name one."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from signing.trust.errors import TokenUnavailable
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pkcs11 import Token, TokenPlace


def token() -> Token | None:
    """Give the token of the settings, once for the process; None where keys are sealed in the database instead."""
    module = settings.TRUST_SERVER_HSM_MODULE
    return _token(module, settings.TRUST_SERVER_HSM_TOKEN, settings.TRUST_SERVER_HSM_PIN) if module else None


def open_key(key_id: str) -> PrivateKey:
    """Give a key that was made on the token.

    Raises:
        KeyNotHeld: it is not there.
        TokenUnavailable: it does not answer, or the settings name none any more.
    """
    found = token()
    if found is None:
        raise TokenUnavailable(
            f"The server's key {key_id[:12]} is on a token, and none is named any more.",
            next_step="Set TRUST_SERVER_HSM_MODULE, TRUST_SERVER_HSM_TOKEN and TRUST_SERVER_HSM_PIN_FILE again.",
        )
    return found.open(key_id)


def check() -> None:
    """Raise unless the token can be used, where there is one.

    Raises:
        TokenUnavailable: and why.
    """
    if found := token():
        found.check()


@lru_cache(maxsize=1)
def _token(module: str, label: str, pin: str) -> Token:
    return Token(TokenPlace(module, label, pin))
