"""The keys that one piece of work may use, wherever this server holds them: one key store for a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signing.adapters.sealed_keys import SealedKeyStore
from signing.models import Account, Key, Repository, User
from signing.trust.keystore.base import KeyInfo, PrivateKey


class HeldKeys:
    """A key store over rows of several custody classes; it holds no key that is not among these rows.

    New keys that are made on the way are sealed.
    """

    def __init__(self, sealed: SealedKeyStore) -> None:
        self._sealed = sealed

    def __repr__(self) -> str:
        return f"<HeldKeys {self._sealed!r}>"

    def list(self) -> list[KeyInfo]:
        """List the keys, without opening anything."""
        return self._sealed.list()

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id may be used here."""
        return self._sealed.holds(key_id)

    def open(self, key_id: str) -> PrivateKey:
        """Give one key, ready to sign.

        Raises:
            KeyNotHeld: it is not here.
            SecretGone: its passphrase did not come along, or was used up.
            WrongPassphrase: it does not open.
            KeyStoreError: it cannot be used, and why.
        """
        return self._sealed.open(key_id)

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Keep a repository key, or the account's next root key, that is made on the way."""
        self._sealed.add(key, role, gun)

    def take_in_new(self, row: Key) -> None:
        """Hold a key that was made on the way by an earlier attempt, or by another operation of the same request."""
        self._sealed.take_in_new(row)


def held_keys(
    account: Account,
    keys: Iterable[Key],
    secrets: Mapping[str, str],
    *,
    owner: User | None = None,
    repository: Repository | None = None,
) -> HeldKeys:
    """Give the key store of one operation.

    `secrets` maps a key's id, or else its purpose, to its passphrase or PIN. `owner` owns what is made on the way.
    `repository` is the one that is signed for: its policy counts, and what each key may sign.
    """
    return HeldKeys(SealedKeyStore(account, keys, secrets, owner=owner))
