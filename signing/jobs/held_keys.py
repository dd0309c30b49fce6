"""Enrol keys that stay where they are, in a token or a key service: read the public half there, and have it sign."""

from __future__ import annotations

import secrets as random_secrets

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import IntegrityError, transaction
from django.utils import timezone

from signing import queue
from signing.adapters.remote_keys import remote_key, service_at
from signing.adapters.token_keys import TokenAccess
from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict
from signing.jobs.run import Run, perform
from signing.locations import TokenLocation, parse_location
from signing.models import Key, Operation
from signing.trust.errors import InvalidKey
from signing.trust.keystore.outside import OutsideKey


def enrol_key(operation_id: int) -> None:
    """Enrol a key in a token or a key service."""
    perform(queue.ENROL_KEY, operation_id, _enrol)


def _enrol(run: Run) -> None:
    operation = run.operation
    if operation.key:
        return  # the worker was lost after it had stored the key
    key = _key_at(operation)
    _require_usable(key)
    key.sign(f"TrustUI asks whether this key signs: {random_secrets.token_hex(16)}".encode())  # it verifies by itself
    operation.key = _store(operation, key)
    operation.save(update_fields=["key"])
    run.result["key_id"] = key.key_id
    run.say(f"The key {key.key_id[:12]} signed a challenge and is enrolled; its private half stays where it is.")


def _key_at(operation: Operation) -> OutsideKey:
    secrets = take_secrets(operation)
    location = parse_location(operation.parameters["location"])
    if isinstance(location, TokenLocation):
        access = TokenAccess(location, secrets.get("signer", ""), operation.insists)
        return access.key(access.read())
    return remote_key(location, service_at(location).public())


def _require_usable(key: OutsideKey) -> None:
    loaded = key.public.loaded
    if isinstance(loaded, ec.EllipticCurvePublicKey) and loaded.curve.name != ec.SECP256R1.name:
        raise InvalidKey(f"The key there is on {loaded.curve.name}; what signs elsewhere has to be P-256 or RSA.")
    if key.public.family not in ("ecdsa", "rsa"):
        raise InvalidKey("The key there is neither ECDSA nor RSA.")


def _store(operation: Operation, key: OutsideKey) -> Key:
    given = operation.parameters
    if operation.account is None:
        raise InvalidKey("The account was removed meanwhile.")
    row = Key(
        key_id=key.key_id,
        purpose=given["purpose"],
        custody=given["custody"],
        name=given["name"],
        keytype=key.public.keytype,
        public_pem=key.public.to_pem(),
        account=operation.account,
        gun=given["gun"],
        owner=operation.requested_by,
        location=given["location"],
        allowed_guns=given["allowed_guns"],
        proved_at=timezone.now(),  # it signed a challenge
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("This key is enrolled already.", next_step="Use the enrolled key, or another one.") from None
    return row
