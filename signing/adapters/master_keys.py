"""The keys that lock what is sealed, kept outside the database: the one in use, and earlier ones that still open."""

from __future__ import annotations

import hashlib

from django.conf import settings

from signing.errors import UnknownMasterKey

ID_LENGTH = 4


def id_of(master_key: bytes) -> bytes:
    """Name a master key; the name tells nothing about the key."""
    return hashlib.sha256(b"trustui master key id|" + master_key).digest()[:ID_LENGTH]


def current() -> tuple[bytes, bytes]:
    """Give the id and the key that new envelopes are made under."""
    return id_of(settings.MASTER_KEY), settings.MASTER_KEY


def all_keys() -> dict[bytes, bytes]:
    """Give every master key by its id, the one in use first."""
    return {id_of(key): key for key in (settings.MASTER_KEY, *settings.PREVIOUS_MASTER_KEYS)}


def named(master_id: bytes) -> bytes:
    """Find a master key by its id.

    Raises:
        UnknownMasterKey: this worker does not have it.
    """
    found = all_keys().get(master_id)
    if found is None:
        raise UnknownMasterKey(f"It is sealed under the master key {master_id.hex()}, which this worker does not have.")
    return found
