"""The server's own private keys, sealed in the database under a master key that is kept outside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from signing.server.models import OnlineKey
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.keys import PublicKey

MASTER_KEY_SIZE = 32
NONCE_SIZE = 12


class OnlineKeys:
    """The keys of one GUN. It remembers which it opened, so that a publish can mark them as used."""

    def __init__(self, gun: str) -> None:
        self.gun = gun
        self._opened: set[str] = set()

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give those of these keys that the server holds for `role`.

        Raises:
            InvalidTag: a row was changed, or was made under another master key.
        """
        rows = OnlineKey.objects.filter(gun=self.gun, role=role, key_id__in=keyids)
        self._opened.update(row.key_id for row in rows)
        return [_unseal(row) for row in rows]

    def public(self, role: str, keyids: Sequence[str], now: datetime) -> PublicKey:
        """Give the public half of the first of these keys that the server holds, else of a waiting one."""
        row = OnlineKey.objects.filter(gun=self.gun, role=role, key_id__in=keyids).order_by("pk").first()
        return _public(row) if row else self.waiting(role, now)

    def waiting(self, role: str, now: datetime) -> PublicKey:
        """Give the public half of the key that no root has named yet, making one where there is none."""
        row = OnlineKey.objects.filter(gun=self.gun, role=role, first_used_at=None).order_by("pk").first()
        return _public(row or self._make(role, now))

    def mark_used(self, now: datetime) -> None:
        """Note that the keys opened so far sign for their role, so that the next rotation gets another one."""
        OnlineKey.objects.filter(key_id__in=self._opened, first_used_at=None).update(first_used_at=now)

    def _make(self, role: str, now: datetime) -> OnlineKey:
        key = PrivateKey.generate()
        with transaction.atomic():
            return OnlineKey.objects.create(
                gun=self.gun,
                role=role,
                key_id=key.key_id,
                keytype=key.public.keytype,
                public=key.public.public,
                sealed=_seal(key, self.gun, role),
                created_at=now,
            )


def check_master_key() -> None:
    """Raise unless the master key can be used.

    Raises:
        ImproperlyConfigured: it is absent or not 32 bytes.
    """
    _cipher()


def _cipher() -> AESGCM:
    master_key = getattr(settings, "TRUST_SERVER_MASTER_KEY", None)
    if not isinstance(master_key, bytes) or len(master_key) != MASTER_KEY_SIZE:
        raise ImproperlyConfigured("TRUST_SERVER_MASTER_KEY must be 32 bytes; see TRUST_SERVER_MASTER_KEY_FILE.")
    return AESGCM(master_key)


def _seal(key: PrivateKey, gun: str, role: str) -> bytes:
    plaintext = key.loaded.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    nonce = os.urandom(NONCE_SIZE)
    return nonce + _cipher().encrypt(nonce, plaintext, _bound_to(gun, role, key.key_id))


def _unseal(row: OnlineKey) -> PrivateKey:
    sealed = bytes(row.sealed)
    bound_to = _bound_to(row.gun, row.role, row.key_id)
    plaintext = _cipher().decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], bound_to)
    key = PrivateKey(serialization.load_der_private_key(plaintext, password=None))
    if key.key_id != row.key_id:
        raise InvalidTag
    return key


def _bound_to(gun: str, role: str, key_id: str) -> bytes:
    """A sealed key moved to another repository or role does not open there."""
    return json.dumps(["trust server online key", gun, role, key_id]).encode()


def _public(row: OnlineKey) -> PublicKey:
    return PublicKey(row.keytype, bytes(row.public))
