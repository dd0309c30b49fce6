"""AWS KMS, or what speaks its protocol: GetPublicKey and Sign (AWS JSON 1.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings

from signing.adapters.key_services.base import Caller
from signing.adapters.key_services.sigv4 import Credentials, Scope, signed_headers
from signing.errors import KeyServiceUnreachable
from signing.locations import ServiceLocation
from signing.trust.keystore.outside import Scheme
from signing.trust.tuf.keys import PublicKey

_ALGORITHMS: dict[Scheme, str] = {
    "ecdsa": "ECDSA_SHA_256",
    "rsapss": "RSASSA_PSS_SHA_256",
    "rsapkcs1v15": "RSASSA_PKCS1_V1_5_SHA_256",
}


class AwsKms:
    """One key of KMS. What KMS made never leaves it; only digests are sent there."""

    name = "AWS KMS"

    def __init__(self, location: ServiceLocation) -> None:
        """Take the credentials of the worker's settings.

        Raises:
            KeyServiceUnreachable: there are none.
        """
        if not (settings.AWS_ACCESS_KEY_ID and settings.AWS_SECRET_ACCESS_KEY):
            raise KeyServiceUnreachable(
                "This signing worker has no credentials for AWS KMS.",
                next_step="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY_FILE of the signing worker.",
            )
        self._key = location.name
        self._scope = Scope(location.place, "kms")
        self._who = Credentials(settings.AWS_ACCESS_KEY_ID, settings.AWS_SECRET_ACCESS_KEY, settings.AWS_SESSION_TOKEN)
        self._caller = Caller(
            settings.AWS_KMS_ENDPOINT or f"https://kms.{location.place}.amazonaws.com",
            who=f"AWS KMS in {location.place}",
            seconds=settings.KEY_SERVICE_SECONDS,
            ca_pem=settings.KEY_SERVICE_CA,
            secrets=(self._who.secret, self._who.session_token),
        )

    def public(self) -> PublicKey:
        """Give the public half, of a key that is for signing."""
        told = self._ask("GetPublicKey", {"KeyId": self._key})
        if told.get("KeyUsage") != "SIGN_VERIFY":
            raise self._caller.garbled("a key that is not for signing")
        try:
            return PublicKey.from_loaded(load_der_public_key(self._bytes(told, "PublicKey")))  # type: ignore[arg-type]  # it says when it is of another kind
        except ValueError:
            raise self._caller.garbled("no public key") from None

    def sign(self, public: PublicKey, scheme: Scheme, payload: bytes) -> bytes:
        """Sign a digest; that it was this very key shows when the signature is verified."""
        digest = base64.b64encode(hashlib.sha256(payload).digest()).decode()
        wanted = {"KeyId": self._key, "MessageType": "DIGEST", "SigningAlgorithm": _ALGORITHMS[scheme]}
        return self._bytes(self._ask("Sign", {**wanted, "Message": digest}), "Signature")

    def _ask(self, action: str, wanted: Mapping[str, str]) -> dict[str, Any]:
        body = json.dumps(wanted).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{action}"}
        host = self._caller.url.netloc.decode()
        signed = signed_headers(host, "/", headers, body, self._who, self._scope, datetime.now(UTC))
        return self._caller.ask("POST", "/", signed, body)

    def _bytes(self, told: Mapping[str, Any], member: str) -> bytes:
        try:
            return base64.b64decode(str(told[member]), validate=True)
        except (KeyError, binascii.Error, ValueError):
            raise self._caller.garbled(f"no {member}") from None
