"""`trustctl key load KEYFILE` (reference 1.5), which loads encrypted keys too: `docker trust key load` only says so."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput, InvalidName, WrongPassphrase
from signing.trust.keystore.base import PassphraseSource, PrivateKey
from signing.trust.keystore.encrypted_files import MOST_ATTEMPTS, read_private_file
from signing.trust.keystore.pem import KeyFile
from signing.trust.tuf.roles import ROOT, SNAPSHOT, TARGETS, check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Open a private key and keep it in the trust folder, under the passphrase docker's variables or a person give."""
    path: Path = arguments.file
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name the file of a private key.")
    if not arguments.json:
        say(f'Loading key from "{path}"...')
    file = KeyFile.parse(read_private_file(path))
    role, gun = _owner(file, arguments.name)
    store = session.keystore()
    key = _opened(file, role, session.passphrases)
    if store.holds(key.key_id):
        raise InvalidInput(
            f"The key {key.key_id[:12]} is in the trust folder already.", next_step="There is no need to."
        )
    store.add(key, role, gun)
    if arguments.json:
        say_json({"key_id": key.key_id, "role": role, "gun": gun})
    else:
        say(f"Successfully imported key from {path}")
    return Exit.DONE


def _owner(file: KeyFile, name: str) -> tuple[str, str | None]:
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


def _opened(file: KeyFile, role: str, passphrases: PassphraseSource) -> PrivateKey:
    if not file.is_encrypted:
        return file.open("")
    for attempt in range(MOST_ATTEMPTS):
        passphrase = passphrases(role, "", new=False, attempt=attempt)
        with contextlib.suppress(WrongPassphrase):
            return file.open(passphrase)
    raise WrongPassphrase("The passphrase does not open this key.")
