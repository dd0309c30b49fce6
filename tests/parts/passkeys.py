"""An authenticator in software: makes passkeys and answers challenges as a browser with a security key would."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

FLAG = AuthenticatorData.FLAG


class SoftPasskey:
    """One passkey on one site. What it answers is right unless a test says otherwise."""

    def __init__(self, origin: str = "http://localhost", rp_id: str = "localhost") -> None:
        self.origin = origin
        self.rp_id = rp_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.user_handle = b""
        self.verifies = True
        self.count = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer PublicKeyCredentialCreationOptions."""
        wanted = options["publicKey"]
        self.user_handle = _bytes(wanted["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]  # half typed
        credential = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(self._rp_hash(), self._flags() | FLAG.AT, self.count, bytes(credential))
        client = self._client_data(CollectedClientData.TYPE.CREATE, wanted["challenge"])
        return {
            **self._head(),
            "response": {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
                "transports": ["internal"],
            },
            "clientExtensionResults": {"credProps": {"rk": True}},
        }

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer PublicKeyCredentialRequestOptions."""
        self.count += 1
        data = AuthenticatorData.create(self._rp_hash(), self._flags(), self.count)
        client = self._client_data(CollectedClientData.TYPE.GET, options["publicKey"]["challenge"])
        signature = self.key.sign(bytes(data) + sha256(client), ec.ECDSA(hashes.SHA256()))
        return {
            **self._head(),
            "response": {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(self.user_handle),
            },
            "clientExtensionResults": {},
        }

    def _head(self) -> dict[str, Any]:
        identifier = websafe_encode(self.id)
        return {"type": "public-key", "id": identifier, "rawId": identifier, "authenticatorAttachment": "platform"}

    def _flags(self) -> FLAG:
        return FLAG.UP | FLAG.UV if self.verifies else FLAG.UP

    def _rp_hash(self) -> bytes:
        return sha256(self.rp_id.encode())

    def _client_data(self, kind: CollectedClientData.TYPE, challenge: Any) -> CollectedClientData:
        return CollectedClientData.create(kind, _bytes(challenge), self.origin)


def _bytes(value: Any) -> bytes:
    return websafe_decode(value) if isinstance(value, str) else bytes(value)
