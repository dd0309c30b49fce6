"""The keys that one piece of work may use, wherever this server holds them: one key store for a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signing.adapters.sealed_keys import SealedKeyStore, role_of
from signing.approvals.custody import require_custody
from signing.freezing import require_not_frozen
from signing.models import Account, Key, Repository, User
from signing.trust.errors import KeyNotHeld
from signing.trust.keystore.base import AbsentKey, KeyInfo, PrivateKey
from signing.trust.tuf.keys import PublicKey


class HeldKeys:
    """A key store over rows of several custody classes; it holds no key that is not among these rows.

    New keys that are made on the way are sealed.
    """

    def __init__(
        self, rows: Iterable[Key], sealed: SealedKeyStore, repository: Repository | None, retiring: str = ""
    ) -> None:
        self._rows = {row.key_id: row for row in rows}
        self._sealed = sealed
        self._repository = repository
        self._retiring = retiring

    def __repr__(self) -> str:
        return f"<HeldKeys {self._sealed!r}>"

    def list(self) -> list[KeyInfo]:
        """List the keys, without opening anything."""
        absent = [row for row in self._rows.values() if row.custody == Key.Custody.CLIENT]
        return [*self._sealed.list(), *(KeyInfo(row.key_id, role_of(row), row.gun or None) for row in absent)]

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id may be used here, or its holder be asked."""
        row = self._rows.get(key_id)
        return self._sealed.holds(key_id) or (row is not None and row.custody == Key.Custody.CLIENT)

    def open(self, key_id: str) -> PrivateKey:
        """Give one key, ready to sign; one that is with its holder has its public half only.

        Raises:
            KeyNotHeld: it is not here.
            Frozen: it is frozen.
            CustodyRefused: the repository's policy refuses keys of its class.
            SecretGone: its passphrase did not come along, or was used up.
            WrongPassphrase: it does not open.
            KeyStoreError: it cannot be used, and why.
        """
        row = self._rows.get(key_id)
        if row is None:
            raise KeyNotHeld(f"The key {key_id[:12]} is not on this server.")
        if key_id != self._retiring:
            require_not_frozen(key=row)
        if self._repository is not None:
            require_custody(self._repository, [row])
        if row.custody == Key.Custody.CLIENT:
            return AbsentKey(PublicKey.from_pem(row.public_pem))
        return self._sealed.open(key_id)

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Keep a repository key, or the account's next root key, that is made on the way.

        Raises:
            CustodyRefused: the repository's policy refuses sealed keys.
        """
        if self._repository is not None:
            require_custody(self._repository, [Key(custody=Key.Custody.SEALED, key_id=key.key_id, name=role)])
        self.take_in_new(self._sealed.add(key, role, gun))

    def take_in_new(self, row: Key) -> None:
        """Hold a key that was made on the way by an earlier attempt, or by another operation of the same request."""
        self._rows[row.key_id] = row
        if row.custody == Key.Custody.SEALED:
            self._sealed.take_in_new(row)


def held_keys(
    account: Account,
    keys: Iterable[Key],
    secrets: Mapping[str, str],
    *,
    owner: User | None = None,
    repository: Repository | None = None,
    retiring: str = "",
) -> HeldKeys:
    """Give the key store of one operation.

    `secrets` maps a key's id, or else its purpose, to its passphrase or PIN. `owner` owns what is made on the way.
    `repository` is the one that is signed for: its policy counts, and what each key may sign. The key of the id
    `retiring` signs even while it is frozen: the successor that an approved request puts in its own place.
    """
    rows = list(keys)
    return HeldKeys(rows, SealedKeyStore(account, rows, secrets, owner=owner), repository, retiring)
