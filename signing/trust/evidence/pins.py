"""Which root keys somebody vouches for, given beforehand and from outside the archive."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives import hashes

from signing.trust.errors import InvalidInput, InvalidKey
from signing.trust.tuf.keys import PublicKey

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RootPins:
    """Ids of root keys, as metadata lists them (TUF ids) or of the bare keys (canonical ids), and fingerprints.

    A fingerprint is the SHA-256 of a root certificate in DER, as `openssl x509 -fingerprint -sha256` prints it.
    """

    key_ids: frozenset[str] = frozenset()
    fingerprints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, key_ids: Iterable[str] = (), fingerprints: Iterable[str] = ()) -> Self:
        """Read what people type. Raises: InvalidInput."""
        return cls(frozenset(_hex(text) for text in key_ids), frozenset(_hex(text) for text in fingerprints))

    def __bool__(self) -> bool:
        return bool(self.key_ids or self.fingerprints)

    def allows(self, key: PublicKey) -> bool:
        """Tell whether the key, or the certificate around it, is a pinned one."""
        try:
            named = {key.key_id, key.canonical_id}
        except InvalidKey:
            return False
        return bool(named & self.key_ids) or fingerprint(key) in self.fingerprints


def fingerprint(key: PublicKey) -> str:
    """Give the SHA-256 of the certificate around a key in hex; empty where there is none that can be read."""
    try:
        return key.certificates[0].fingerprint(hashes.SHA256()).hex()
    except (InvalidKey, IndexError):
        return ""


def _hex(text: str) -> str:
    plain = text.strip().lower().removeprefix("sha256:").removeprefix("sha256 fingerprint=").replace(":", "")
    if not _HEX.fullmatch(plain):
        raise InvalidInput(
            f"{text[:120]!r} is neither a key id nor a fingerprint.", next_step="Write all 64 hex digits."
        )
    return plain
