"""A key store that forgets."""

from __future__ import annotations

from signing.trust.errors import KeyNotHeld
from signing.trust.keystore.base import KeyInfo, PrivateKey


class MemoryKeyStore:
    """Keys in memory, opened."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[KeyInfo, PrivateKey]] = {}

    def list(self) -> list[KeyInfo]:
        """List what is kept."""
        return [info for info, _ in self._keys.values()]

    def holds(self, key_id: str) -> bool:
        """Tell whether the key is kept here."""
        return key_id in self._keys

    def open(self, key_id: str) -> PrivateKey:
        """Give one key.

        Raises:
            KeyNotHeld: it is not here.
        """
        if key_id not in self._keys:
            raise KeyNotHeld(f"The private key {key_id[:12]} is not in this store.", key_id=key_id)
        return self._keys[key_id][1]

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Keep a key as long as the test lasts."""
        self._keys[key.key_id] = (KeyInfo(key.key_id, role, gun), key)
