"""Seal a secret to one worker, so that nobody else can open it, this process included.

A box is an ephemeral X25519 public key, a nonce and AES-256-GCM text. The key comes from HKDF over the shared
secret; recipient and context go into the derivation, so that a box moved to another row, purpose or worker does
not open. `signing.adapters.unsealing` holds the other half.
"""

from __future__ import annotations

import base64
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = b"\x01"
PUBLIC_LENGTH = 32
NONCE_LENGTH = 12


def seal(recipient: str, plaintext: bytes, context: str) -> bytes:
    """Encrypt for the worker named `recipient` ("signing", "docker" or "notices"), to be opened in `context` only."""
    theirs = X25519PublicKey.from_public_bytes(base64.b64decode(settings.SEALING_PUBLIC_KEYS[recipient]))
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    key = derive_key(ephemeral.exchange(theirs), public, theirs.public_bytes_raw(), context)
    nonce = os.urandom(NONCE_LENGTH)
    return VERSION + public + nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def derive_key(shared: bytes, ephemeral: bytes, recipient: bytes, context: str) -> bytes:
    """Derive the key of one box; both halves call it."""
    info = b"trustui sealed box 1|" + context.encode()
    return HKDF(hashes.SHA256(), length=32, salt=ephemeral + recipient, info=info).derive(shared)


def operation_context(operation_id: int, purpose: str) -> str:
    return f"operation:{operation_id}:{purpose}"


def key_context(key_id: str) -> str:
    return f"key:{key_id}:passphrase"


def registry_context(account_id: int) -> str:
    return f"account:{account_id}:registry-password"


def webhook_context(webhook_id: int) -> str:
    return f"webhook:{webhook_id}:secret"


def trust_server_context(trust_server_id: int) -> str:
    return f"trust-server:{trust_server_id}:password"
