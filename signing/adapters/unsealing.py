"""Open what was sealed to this worker (`signing.sealing`), with the private half only this process has."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from signing.errors import CannotUnseal, SecretGone
from signing.models import Operation, SealedSecret
from signing.sealing import NONCE_LENGTH, PUBLIC_LENGTH, VERSION, derive_key, operation_context


def unseal(box: bytes | memoryview, context: str) -> bytes:
    """Open one box in the context it was sealed for.

    Raises:
        CannotUnseal: it was sealed to another key or for another context, or was changed.
    """
    box = bytes(box)
    ours = X25519PrivateKey.from_private_bytes(settings.SEALING_PRIVATE_KEY)
    head = len(VERSION)
    public, nonce = box[head : head + PUBLIC_LENGTH], box[head + PUBLIC_LENGTH : head + PUBLIC_LENGTH + NONCE_LENGTH]
    try:
        if box[:head] != VERSION:
            raise ValueError("unknown version")
        shared = ours.exchange(X25519PublicKey.from_public_bytes(public))
        key = derive_key(shared, public, ours.public_key().public_bytes_raw(), context)
        return AESGCM(key).decrypt(nonce, box[head + PUBLIC_LENGTH + NONCE_LENGTH :], context.encode())
    except (InvalidTag, ValueError):
        raise CannotUnseal("A stored secret does not open with this worker's key.") from None


def take_secrets(operation: Operation) -> dict[str, str]:
    """Read an operation's secrets by purpose, and delete them before anybody can use them twice.

    They are gone even when the work that follows fails.

    Raises:
        SecretGone: one of them expired.
        CannotUnseal: one of them was not sealed for this operation and worker.
    """
    with transaction.atomic():
        rows = list(SealedSecret.objects.select_for_update().filter(operation=operation))
        SealedSecret.objects.filter(pk__in=[row.pk for row in rows]).delete()
    now = timezone.now()
    if any(row.expires_at <= now for row in rows):
        raise SecretGone("The passphrase waited too long in the queue and was deleted.")
    return {row.purpose: unseal(row.box, operation_context(operation.pk, row.purpose)).decode() for row in rows}
