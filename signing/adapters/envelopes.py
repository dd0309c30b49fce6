"""The outer lock of a sealed key: AES-256-GCM under a master key, bound to the row it belongs to.

Version 2 is bound to key id, purpose, GUN, the key derivation of the file inside, the id of the master key and a serial
number that grows with each envelope of a key:

    02 | id of the master key (4) | serial (8) | length, text of the key derivation | nonce (12) | ciphertext

So neither another row's bytes nor a cheaper key derivation opens. An earlier envelope of the same key, put back with
everything that belongs to it, would: therefore each envelope is witnessed by an event of the audit log, whose end is
signed and remembered outside the database, and one that is older than its newest witness is refused
(docs/adr/0017-envelopes-and-master-keys.md).

Version 1 (before witnesses and several master keys) still opens, and is wrapped anew when it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from signing import chain
from signing.adapters import master_keys
from signing.errors import MisplacedEnvelope, OldEnvelope, UnknownMasterKey, WeakEnvelope
from signing.models import AuditEvent, Key
from signing.trust.errors import InvalidKey
from signing.trust.keystore import pem

WITNESSED = "seal_key"
NONCE_LENGTH = 12
_HEAD = struct.Struct(">4sQB")


@dataclass(frozen=True, slots=True)
class Envelope:
    """One envelope as it is stored, not opened; version 1 has neither master key id nor serial."""

    version: int
    master_id: bytes
    serial: int
    derivation: str
    nonce: bytes
    sealed: bytes

    @classmethod
    def parse(cls, stored: bytes) -> Envelope:
        """Read it.

        Raises:
            MisplacedEnvelope: it is no envelope.
        """
        try:
            version, rest = stored[0], stored[1:]
            if version == 1:
                return cls(1, b"", 0, "", rest[:NONCE_LENGTH], rest[NONCE_LENGTH:])
            if version != 2:
                raise ValueError("unknown version")
            master_id, serial, length = _HEAD.unpack_from(rest)
            derivation = rest[_HEAD.size : _HEAD.size + length].decode("ascii")
            body = rest[_HEAD.size + length :]
            return cls(2, master_id, serial, derivation, body[:NONCE_LENGTH], body[NONCE_LENGTH:])
        except (ValueError, IndexError, struct.error):
            raise MisplacedEnvelope("What is stored for this key is no envelope.") from None

    @property
    def is_current(self) -> bool:
        """Tell whether it would be made like this today."""
        return self.version == 2 and self.master_id == master_keys.current()[0]

    def open(self, row: Key) -> bytes:
        """Open it for the row it is stored with.

        Raises:
            UnknownMasterKey: it needs another master key.
            MisplacedEnvelope: it was changed, or belongs to another row.
        """
        candidates = [master_keys.named(self.master_id)] if self.version == 2 else list(master_keys.all_keys().values())
        for master_key in candidates:
            try:
                return AESGCM(master_key).decrypt(self.nonce, self.sealed, self._bound_to(row))
            except (InvalidTag, ValueError):
                continue
        if self.version == 1:
            raise UnknownMasterKey(
                f"The stored key {row.key_id[:12]} opens under none of this worker's master keys, or was changed."
            )
        raise MisplacedEnvelope(f"The envelope of the key {row.key_id[:12]} was changed, or belongs to another row.")

    def _bound_to(self, row: Key) -> bytes:
        if self.version == 1:
            return f"trustui key 1|{row.key_id}|{row.purpose}|{row.gun}".encode()
        bound = [row.key_id, str(row.purpose), row.gun, self.derivation, self.master_id.hex(), self.serial]
        return json.dumps(["trustui key 2", *bound]).encode()


def wrap(row: Key, key_file: str) -> bytes:
    """Lock a key file for its row, and witness that; the caller stores it in the same transaction."""
    master_id, master_key = master_keys.current()
    derivation, nonce = _derivation_of(key_file), os.urandom(NONCE_LENGTH)
    serial = newest_witness(row.key_id)[0] + 1
    envelope = Envelope(2, master_id, serial, derivation, nonce, b"")
    sealed = AESGCM(master_key).encrypt(nonce, key_file.encode(), envelope._bound_to(row))
    head = _HEAD.pack(master_id, serial, len(derivation)) + derivation.encode("ascii")
    stored = b"\x02" + head + nonce + sealed
    chain.append(
        actor=None,
        action=WITNESSED,
        account=row.account,
        subject=str(row),
        detail={
            "key": row.key_id,
            "custody": Key.Custody.SEALED.value,
            "serial": serial,
            "envelope": _hash_of(stored),
            "master_key": master_id.hex(),
        },
    )
    return stored


def unwrap(row: Key) -> str:
    """Open a row's envelope and give docker's key file, which the passphrase still locks.

    Raises:
        UnknownMasterKey: it needs another master key.
        MisplacedEnvelope: it was changed, or belongs to another row.
        OldEnvelope: it was replaced by another one, and was put back.
        WeakEnvelope: passphrases could be tried out faster than its row says, or than docker's files allow.
    """
    stored = bytes(row.envelope)
    envelope = Envelope.parse(stored)
    key_file = envelope.open(row).decode()
    serial, witnessed = newest_witness(row.key_id)
    if envelope.serial < serial or (envelope.serial == serial and serial and _hash_of(stored) != witnessed):
        raise OldEnvelope(
            f"The envelope of the key {row.key_id[:12]} is number {envelope.serial};"
            f" the audit log knows number {serial}. An old one was put back."
        )
    if envelope.version == 2 and envelope.derivation != _derivation_of(key_file):
        raise WeakEnvelope(f"The key file {row.key_id[:12]} derives its key otherwise than its envelope says.")
    return key_file


def rewrap(row: Key) -> bool:
    """Wrap a row's key file anew, under the master key in use; False where that is so already or another did it."""
    with transaction.atomic():
        fresh = Key.objects.select_for_update().select_related("account").get(pk=row.pk)
        if Envelope.parse(bytes(fresh.envelope)).is_current:
            return False
        fresh.envelope = wrap(fresh, unwrap(fresh))
        fresh.save(update_fields=["envelope"])
    row.envelope = fresh.envelope
    return True


def newest_witness(key_id: str) -> tuple[int, str]:
    """Give the serial number and the hash of a key's newest envelope, as the audit log has it; 0 before any."""
    events = AuditEvent.objects.filter(action=WITNESSED, detail__key=key_id).values_list("detail", flat=True)
    return max(((detail["serial"], detail["envelope"]) for detail in events), default=(0, ""))


def _derivation_of(key_file: str) -> str:
    """Say how the file derives its key from a passphrase.

    Raises:
        WeakEnvelope: trying a passphrase out costs less than with the files docker writes.
    """
    try:
        digest, rounds = pem.KeyFile.parse(key_file).derivation
    except InvalidKey as error:
        raise WeakEnvelope(f"The key file is not one that is stored here: {error.message}") from None
    if rounds < pem.ROUNDS:
        raise WeakEnvelope(f"The key file derives its key with {rounds} rounds; docker's files have {pem.ROUNDS}.")
    return f"pbkdf2-{digest}-{rounds}"


def _hash_of(stored: bytes) -> str:
    return hashlib.sha256(stored).hexdigest()
