"""The transit engine of Vault (and of OpenBao): read a key's public halves, sign a digest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from signing.adapters.key_services.base import Caller
from signing.errors import KeyIsExportable, KeyServiceUnreachable
from signing.locations import ServiceLocation
from signing.trust.errors import InvalidKey, KeyNotHeld
from signing.trust.keystore.outside import Scheme
from signing.trust.tuf.keys import PublicKey

_HOW: dict[Scheme, dict[str, str]] = {
    "ecdsa": {"marshaling_algorithm": "asn1"},
    "rsapss": {"signature_algorithm": "pss", "salt_length": "hash"},
    "rsapkcs1v15": {"signature_algorithm": "pkcs1v15"},
}


class VaultTransit:
    """One key of a transit engine, which may have several versions."""

    name = "Vault"

    def __init__(self, location: ServiceLocation) -> None:
        """Take the address and the token of the worker's settings.

        Raises:
            KeyServiceUnreachable: there are none.
        """
        if not (settings.VAULT_ADDR and settings.VAULT_TOKEN):
            raise KeyServiceUnreachable(
                "This signing worker has no Vault.",
                next_step="Set VAULT_ADDR and VAULT_TOKEN_FILE of the signing worker.",
            )
        self._mount, self._key = location.place, location.name
        self._headers = {"X-Vault-Token": settings.VAULT_TOKEN, "X-Vault-Request": "true"}
        if settings.VAULT_NAMESPACE:
            self._headers["X-Vault-Namespace"] = settings.VAULT_NAMESPACE
        self._caller = Caller(
            settings.VAULT_ADDR,
            who="Vault",
            seconds=settings.KEY_SERVICE_SECONDS,
            ca_pem=settings.KEY_SERVICE_CA,
            secrets=(settings.VAULT_TOKEN,),
        )

    def public(self) -> PublicKey:
        """Give the public half of the newest version, of a key that cannot be exported."""
        versions = self._versions()
        return versions[max(versions)]

    def sign(self, public: PublicKey, scheme: Scheme, payload: bytes) -> bytes:
        """Sign with the version that was enrolled, also after the key was rotated there."""
        version = next((number for number, key in self._versions().items() if key.material == public.material), None)
        if version is None:
            raise KeyNotHeld(
                f"Vault's key {self._mount}/{self._key} has no version that is the key {public.canonical_id[:12]}.",
                next_step="Enrol the key that is there now.",
            )
        digest = base64.b64encode(hashlib.sha256(payload).digest()).decode()
        wanted = {"input": digest, "prehashed": True, "key_version": version, **_HOW[scheme]}
        told = self._ask("POST", f"/v1/{self._mount}/sign/{self._key}/sha2-256", wanted)
        return self._signature(str(told.get("signature")))

    def _versions(self) -> dict[int, PublicKey]:
        told = self._ask("GET", f"/v1/{self._mount}/keys/{self._key}")
        if told.get("exportable") or told.get("allow_plaintext_backup"):
            raise KeyIsExportable(f"Vault's key {self._mount}/{self._key} may be exported in the clear.")
        try:
            return {int(number): PublicKey.from_pem(row["public_key"]) for number, row in _items(told["keys"])}
        except (KeyError, TypeError, ValueError, InvalidKey):
            raise self._caller.garbled("no public keys") from None

    def _ask(self, method: str, path: str, wanted: Mapping[str, object] | None = None) -> dict[str, Any]:
        body = json.dumps(wanted).encode() if wanted else b""
        told = self._caller.ask(method, path, self._headers, body).get("data")
        if not isinstance(told, dict):
            raise self._caller.garbled("no data")
        return told

    def _signature(self, text: str) -> bytes:
        """Read vault:v1:BASE64."""
        vault, version, signature = [*text.split(":", 2), "", ""][:3]
        try:
            if vault != "vault" or not version.startswith("v"):
                raise ValueError("another form")
            return base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            raise self._caller.garbled("no signature") from None


def _items(keys: Any) -> Any:
    if not isinstance(keys, dict) or not keys:
        raise TypeError
    return keys.items()
