"""The server's own private keys, sealed in the database under a master key that is kept outside it, or on a token.

A key on a token has a row too, with a sealed box that is empty: so a row that was moved to another repository or role
opens nothing, wherever the key itself is.
"""

from __future__ import annotations

import contextlib
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

from signing.server import hsm
from signing.server.models import OnlineKey
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pkcs11 import TokenKey
from signing.trust.tuf.keys import PublicKey

MASTER_KEY_SIZE = 32
NONCE_SIZE = 12
ON_TOKEN = b""

MOST_KEPT_OPEN = 1024

_open_keys: dict[tuple[bytes, str, str, str], PrivateKey] = {}


class OnlineKeys:
    """The keys of one GUN, for one request. It remembers which it opened, so that a publish can mark them as used."""

    def __init__(self, gun: str) -> None:
        self.gun = gun
        self._first_used: set[str] = set()

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give those of these keys that the server holds for `role`.

        A key in use that this process has opened stays open: its id says which key it is.

        Raises:
            InvalidTag: a row was changed, or was made under another master key.
            KeyStoreError: the token does not answer, or does not hold a key any more.
        """
        master_key = _master_key()
        places = {keyid: (master_key, self.gun, role, keyid) for keyid in keyids}
        held = {keyid: _open_keys[place] for keyid, place in places.items() if place in _open_keys}
        if len(held) < len(places):
            for row in OnlineKey.objects.filter(gun=self.gun, role=role, key_id__in=places.keys() - held.keys()):
                held[row.key_id] = _opened(row)
                if row.first_used_at is None:
                    self._first_used.add(row.key_id)
                else:
                    _remember(places[row.key_id], held[row.key_id])
        return list(held.values())

    def public(self, role: str, keyids: Sequence[str], now: datetime) -> PublicKey:
        """Give the public half of the first of these keys that the server holds, else of a waiting one."""
        row = OnlineKey.objects.filter(gun=self.gun, role=role, key_id__in=keyids).order_by("pk").first()
        return _public(row) if row else self.waiting(role, now)

    def waiting(self, role: str, now: datetime) -> PublicKey:
        """Give the public half of the key that no root has named yet, making one where there is none."""
        row = OnlineKey.objects.filter(gun=self.gun, role=role, first_used_at=None).order_by("pk").first()
        return _public(row or self._make(role, now))

    @property
    def are_used_for_the_first_time(self) -> bool:
        """Tell whether one of the keys opened so far has signed nothing yet."""
        return bool(self._first_used)

    def mark_used(self, now: datetime) -> None:
        """Note that the keys opened so far sign for their role, so that the next rotation gets another one."""
        if self._first_used:
            OnlineKey.objects.filter(key_id__in=self._first_used, first_used_at=None).update(first_used_at=now)

    def add(self, role: str, key: PrivateKey, now: datetime) -> None:
        """Keep a key that a root names already and that came from another server; it may be here."""
        if not OnlineKey.objects.filter(key_id=key.key_id).exists():
            self._keep(role, key, now, first_used_at=now)

    def _make(self, role: str, now: datetime) -> OnlineKey:
        token = hsm.token()
        key = token.generate(f"{role} {self.gun}") if token else PrivateKey.generate()
        return self._keep(role, key, now)

    def _keep(self, role: str, key: PrivateKey, now: datetime, first_used_at: datetime | None = None) -> OnlineKey:
        with transaction.atomic():
            return OnlineKey.objects.create(
                gun=self.gun,
                role=role,
                key_id=key.key_id,
                keytype=key.public.keytype,
                public=key.public.public,
                sealed=_seal(_master_key(), _written(key), self.gun, role, key.key_id),
                created_at=now,
                first_used_at=first_used_at,
            )


def check_master_key() -> None:
    """Raise unless the master key can be used.

    Raises:
        ImproperlyConfigured: it is absent or not 32 bytes.
    """
    _master_key()


def reseal(old_master_key: bytes) -> int:
    """Seal every key that `old_master_key` opens under the master key of the settings, and count them.

    Keys that are sealed under the new one already are passed over, so it may be run again after an interruption.

    Raises:
        InvalidTag: a key opens under neither of the two; what was resealed before stays so.
    """
    count = 0
    for row in OnlineKey.objects.order_by("pk").iterator():
        with contextlib.suppress(InvalidTag):
            _unseal(_master_key(), row.gun, row.role, row.key_id, bytes(row.sealed))
            continue
        before = bytes(row.sealed)
        written = _unseal(old_master_key, row.gun, row.role, row.key_id, before)
        sealed = _seal(_master_key(), written, row.gun, row.role, row.key_id)
        count += OnlineKey.objects.filter(pk=row.pk, sealed=before).update(sealed=sealed)
    return count


def _master_key() -> bytes:
    master_key = getattr(settings, "TRUST_SERVER_MASTER_KEY", None)
    if not isinstance(master_key, bytes) or len(master_key) != MASTER_KEY_SIZE:
        raise ImproperlyConfigured("TRUST_SERVER_MASTER_KEY must be 32 bytes; see TRUST_SERVER_MASTER_KEY_FILE.")
    return master_key


def _written(key: PrivateKey) -> bytes:
    """Give what is sealed of a key."""
    if isinstance(key, TokenKey):
        return ON_TOKEN
    return key.loaded.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(written: bytes, key_id: str) -> PrivateKey:
    if written == ON_TOKEN:
        return hsm.open_key(key_id)
    key = PrivateKey(serialization.load_der_private_key(written, password=None))
    if key.key_id != key_id:
        raise InvalidTag
    return key


def _seal(master_key: bytes, written: bytes, gun: str, role: str, key_id: str) -> bytes:
    nonce = os.urandom(NONCE_SIZE)
    return nonce + AESGCM(master_key).encrypt(nonce, written, _bound_to(gun, role, key_id))


def _unseal(master_key: bytes, gun: str, role: str, key_id: str, sealed: bytes) -> bytes:
    return AESGCM(master_key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], _bound_to(gun, role, key_id))


def _opened(row: OnlineKey) -> PrivateKey:
    for candidate in (_master_key(), *_previous_master_key()):
        with contextlib.suppress(InvalidTag):
            written = _unseal(candidate, row.gun, row.role, row.key_id, bytes(row.sealed))
            return _read(written, row.key_id)
    raise InvalidTag


def _remember(place: tuple[bytes, str, str, str], key: PrivateKey) -> None:
    if len(_open_keys) >= MOST_KEPT_OPEN:
        _open_keys.clear()
    _open_keys[place] = key


def _previous_master_key() -> tuple[bytes, ...]:
    """While keys are being resealed, some are still under the key before."""
    previous = getattr(settings, "TRUST_SERVER_PREVIOUS_MASTER_KEY", None)
    return (previous,) if previous else ()


def _bound_to(gun: str, role: str, key_id: str) -> bytes:
    """A sealed key moved to another repository or role does not open there."""
    return json.dumps(["trust server online key", gun, role, key_id]).encode()


def _public(row: OnlineKey) -> PublicKey:
    return PublicKey(row.keytype, bytes(row.public))
