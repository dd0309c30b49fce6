"""Lock what the web process itself has to read again: seeds of second factors, tokens of a sign-in provider.

A copy of the database alone opens none of it: the key comes from SECRET_KEY. What only a worker may read is sealed to
that worker instead (`signing.sealing`).
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from signing.errors import CannotUnseal


def lock(text: str, purpose: str) -> str:
    """Lock a text; it opens for the same purpose only."""
    return _locks(purpose).encrypt(text.encode()).decode()


def unlock(locked: str, purpose: str) -> str:
    """Open what `lock` locked.

    Raises:
        CannotUnseal: SECRET_KEY is another one since, or the text was locked for something else.
    """
    try:
        return _locks(purpose).decrypt(locked.encode()).decode()
    except InvalidToken:
        raise CannotUnseal(
            "What is stored does not open with this SECRET_KEY.",
            next_step="Give the web process the SECRET_KEY it had, or set it up anew.",
        ) from None


def _locks(purpose: str) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derived(key, purpose))) for key in keys])


def _derived(key: str | bytes, purpose: str) -> bytes:
    info = f"trustui at rest: {purpose}".encode()
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(key.encode() if isinstance(key, str) else key)
