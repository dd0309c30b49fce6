"""Private keys as rows: docker's encrypted key file inside an envelope under the master key.

Two locks: the holder's passphrase, and a key that is kept outside the database (`signing.adapters.envelopes`).
"""

from __future__ import annotations

import secrets as random_secrets
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from signing import sealing
from signing.adapters import envelopes
from signing.adapters.unsealing import unseal
from signing.errors import Conflict, SecretGone
from signing.models import Account, Key, User
from signing.trust.errors import KeyNotHeld, KeyStoreError
from signing.trust.keystore import pem
from signing.trust.keystore.base import KeyInfo, PrivateKey

NEW_ROOT = "new_root"  # for the passphrase of a root key that is made on the way
ROLES = {Key.Purpose.ROOT: "root", Key.Purpose.REPOSITORY: "targets"}


def store_key(
    key: PrivateKey,
    *,
    account: Account,
    purpose: str,
    name: str,
    passphrase: str,
    gun: str = "",
    owner: User | None = None,
    is_unattended: bool = False,
) -> Key:
    """Write a new key's row; when this returns it is committed, or part of the caller's transaction.

    Raises:
        Conflict: the key is stored already.
    """
    public = key.public
    role = ROLES.get(Key.Purpose(purpose), name)
    key_file = pem.encrypt(key, passphrase, role, gun or None)
    row = Key(
        key_id=public.canonical_id,
        purpose=purpose,
        custody=Key.Custody.SEALED,
        name=name,
        keytype=public.keytype,
        public_pem=public.to_pem(),
        account=account,
        gun=gun,
        owner=owner,
        proved_at=timezone.now(),  # its private half is here, opened
    )
    if is_unattended:
        row.unattended = sealing.seal("signing", passphrase.encode(), sealing.key_context(row.key_id))
    try:
        with transaction.atomic():
            row.envelope = envelopes.wrap(row, key_file)
            row.save()
    except IntegrityError:
        raise Conflict("This key is stored already.", next_step="Use the stored key, or another one.") from None
    return row


def role_of(row: Key) -> str:
    """Give the role a key's file names: the signer's name for a signer's."""
    return ROLES.get(Key.Purpose(row.purpose), row.name)


class SealedKeyStore:
    """The keys one operation may use, with the passphrases that came with it.

    `keys` is all it holds: an operation that signs as one person cannot reach another person's key. `secrets` maps
    a key's id, or else its purpose, to its passphrase; unattended keys bring their own.
    """

    def __init__(
        self,
        account: Account,
        keys: Iterable[Key],
        secrets: Mapping[str, str],
        *,
        owner: User | None = None,
    ) -> None:
        self._account = account
        self._rows = {row.key_id: row for row in keys if row.custody == Key.Custody.SEALED}
        self._secrets = dict(secrets)
        self._owner = owner

    def __repr__(self) -> str:
        return f"<SealedKeyStore of {len(self._rows)} keys>"

    def list(self) -> list[KeyInfo]:
        """List the keys, without opening anything."""
        return [
            KeyInfo(row.key_id, ROLES.get(Key.Purpose(row.purpose), row.name), row.gun or None)
            for row in self._rows.values()
        ]

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id is here."""
        return key_id in self._rows

    def open(self, key_id: str) -> PrivateKey:
        """Open one key.

        Raises:
            KeyNotHeld: it is not here.
            SecretGone: its passphrase did not come along, or was used up.
            WrongPassphrase: it does not open.
            KeyStoreError: the envelope is not under this server's master key, or holds another key.
        """
        row = self._rows.get(key_id)
        if row is None:
            raise KeyNotHeld(f"The key {key_id[:12]} is not on this server.")
        passphrase = self._passphrase(row)
        key = pem.decrypt(envelopes.unwrap(row), passphrase)
        if key.public.canonical_id != row.key_id:
            raise KeyStoreError(f"The envelope of the key {row.key_id[:12]} holds another key.")
        if not envelopes.Envelope.parse(bytes(row.envelope)).is_current:
            envelopes.rewrap(row)
        return key

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> Key:
        """Keep a repository key, or the account's next root key, that is made on the way.

        It takes the passphrase given for it. Where the root key is unattended it is unattended as well, under a
        random passphrase: whoever may initialise alone may go on alone.
        """
        is_root = role == "root" and not gun
        if not is_root and (role != "targets" or not gun):
            raise KeyStoreError(f"A key for the role {role} is not made on the way.")
        passphrase = self._secrets.get(NEW_ROOT if is_root else Key.Purpose.REPOSITORY)
        is_unattended = not passphrase and any(
            row.purpose == Key.Purpose.ROOT and row.unattended for row in self._rows.values()
        )
        if is_unattended:
            passphrase = random_secrets.token_urlsafe(32)
        if not passphrase:
            raise SecretGone(f"The passphrase for the new {'root' if is_root else 'repository'} key is not here.")
        row = store_key(
            key,
            account=self._account,
            purpose=Key.Purpose.ROOT if is_root else Key.Purpose.REPOSITORY,
            name=role,
            passphrase=passphrase,
            gun=gun or "",
            owner=self._owner,
            is_unattended=is_unattended,
        )
        self._rows[row.key_id] = row
        self._secrets[row.key_id] = passphrase
        return row

    def take_in_new(self, row: Key) -> None:
        """Hold a key that was made on the way by an earlier attempt, or by another operation of the same request."""
        self._rows[row.key_id] = row
        if row.purpose == Key.Purpose.ROOT and NEW_ROOT in self._secrets:
            self._secrets[row.key_id] = self._secrets[NEW_ROOT]

    def _passphrase(self, row: Key) -> str:
        if row.unattended:
            return unseal(row.unattended, sealing.key_context(row.key_id)).decode()
        passphrase = self._secrets.get(row.key_id) or self._secrets.get(row.purpose)
        if not passphrase:
            raise SecretGone(f"The passphrase of the {row.purpose} key is not here any more.")
        return passphrase
