"""Take private keys from files into the trust folder."""

from __future__ import annotations

import contextlib
from pathlib import Path

from signing.trust.errors import InvalidInput, InvalidName, WrongPassphrase
from signing.trust.keystore.base import PassphraseSource, PrivateKey
from signing.trust.keystore.encrypted_files import MOST_ATTEMPTS, read_private_file
from signing.trust.keystore.pem import KeyFile
from signing.trust.tuf.roles import ROOT, SNAPSHOT, TARGETS, check_signer_name


def read_key_file(path: Path) -> str:
    """Read a private key's file.

    Raises:
        InvalidInput: there is none.
        UnsafeKeyFile: others may read it.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name the file of a private key.")
    return read_private_file(path)


def owner_of(file: KeyFile, name: str) -> tuple[str, str | None]:
    """Tell whose key it is: the file's header wins over the option."""
    role = file.role or name
    if role == ROOT:
        return role, None
    if role not in (TARGETS, SNAPSHOT):
        return check_signer_name(role), None
    if not file.gun:
        raise InvalidName(
            f"A {role} key belongs to one repository, and this file does not name it.",
            next_step="Add a line `gun: REPOSITORY` to its PEM headers.",
        )
    return role, file.gun


def open_key(file: KeyFile, role: str, passphrases: PassphraseSource) -> PrivateKey:
    """Open it, asking for its passphrase up to three times.

    Raises:
        WrongPassphrase: none opens it.
    """
    if not file.is_encrypted:
        return file.open("")
    for attempt in range(MOST_ATTEMPTS):
        passphrase = passphrases(role, "", new=False, attempt=attempt)
        with contextlib.suppress(WrongPassphrase):
            return file.open(passphrase)
    raise WrongPassphrase("The passphrase does not open this key.")
