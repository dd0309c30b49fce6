"""The keys that one piece of work may use, wherever this server holds them: one key store for a worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signing.adapters.remote_keys import open_remote, require_allowed
from signing.adapters.sealed_keys import SealedKeyStore, role_of
from signing.adapters.token_keys import TokenAccess, token_location
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
        self,
        rows: Iterable[Key],
        sealed: SealedKeyStore,
        secrets: Mapping[str, str],
        repository: Repository | None,
        retiring: str = "",
        insists: bool = False,
    ) -> None:
        self._rows = {row.key_id: row for row in rows}
        self._sealed = sealed
        self._secrets = secrets
        self._repository = repository
        self._retiring = retiring
        self._insists = insists
        self._tokens: dict[str, TokenAccess] = {}

    def __repr__(self) -> str:
        return f"<HeldKeys {self._sealed!r}>"

    def list(self) -> list[KeyInfo]:
        """List the keys, without opening anything."""
        return [KeyInfo(row.key_id, role_of(row), row.gun or None) for row in self._rows.values()]

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id may be used here, or its holder be asked."""
        return key_id in self._rows

    def open(self, key_id: str) -> PrivateKey:
        """Give one key, ready to sign; one that is with its holder has its public half only.

        Raises:
            KeyNotHeld: it is not here.
            Frozen: it is frozen.
            CustodyRefused: the repository's policy refuses keys of its class.
            SecretGone: its passphrase did not come along, or was used up.
            WrongPassphrase: it does not open.
            KeyNotForRepository: it is in a key service, and its list has not this repository.
            KeyStoreError: it cannot be used, and why.
        """
        row = self._row(key_id)
        if key_id != self._retiring:
            require_not_frozen(key=row)
        if self._repository is not None:
            require_custody(self._repository, [row])
        if row.custody == Key.Custody.REMOTE:
            require_allowed(row, self._repository.gun if self._repository else "")
        return self._opened(row)

    def open_to_certify(self, key_id: str) -> PrivateKey:
        """Give one key for its certificate request, which is for no repository.

        Raises:
            KeyNotHeld: it is not here.
            Frozen: it is frozen.
            KeyStoreError: it cannot be used, and why.
        """
        row = self._row(key_id)
        require_not_frozen(key=row)
        return self._opened(row)

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

    def _row(self, key_id: str) -> Key:
        row = self._rows.get(key_id)
        if row is None:
            raise KeyNotHeld(f"The key {key_id[:12]} is not on this server.")
        return row

    def _opened(self, row: Key) -> PrivateKey:
        if row.custody == Key.Custody.CLIENT:
            return AbsentKey(PublicKey.from_pem(row.public_pem))
        if row.custody == Key.Custody.PKCS11:
            return self._token_of(row).key(PublicKey.from_pem(row.public_pem))
        if row.custody == Key.Custody.REMOTE:
            return open_remote(row)
        return self._sealed.open(row.key_id)

    def _token_of(self, row: Key) -> TokenAccess:
        """Give the token of a row; several keys on one token share what became of its PIN."""
        location = token_location(row.location)
        if location.token not in self._tokens:
            pin = self._secrets.get(row.key_id) or self._secrets.get(row.purpose) or ""
            self._tokens[location.token] = TokenAccess(location, pin, self._insists)
        return self._tokens[location.token]


def held_keys(
    account: Account,
    keys: Iterable[Key],
    secrets: Mapping[str, str],
    *,
    owner: User | None = None,
    repository: Repository | None = None,
    retiring: str = "",
    insists: bool = False,
) -> HeldKeys:
    """Give the key store of one operation.

    `secrets` maps a key's id, or else its purpose, to its passphrase or PIN. `owner` owns what is made on the way.
    `repository` is the one that is signed for: its policy counts, and what each key may sign. The key of the id
    `retiring` signs even while it is frozen: the successor that an approved request puts in its own place. `insists`:
    a token's PIN is tried even where one more wrong one would lock it.
    """
    rows = list(keys)
    sealed = SealedKeyStore(account, rows, secrets, owner=owner)
    return HeldKeys(rows, sealed, secrets, repository, retiring, insists)
