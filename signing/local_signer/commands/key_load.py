"""`trustctl key load KEYFILE` (reference 1.5), which loads encrypted keys too: `docker trust key load` only says so."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_reading import open_key, owner_of, read_key_file
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.keystore.pem import KeyFile


def run(session: Session, arguments: Namespace) -> Exit:
    """Open a private key and keep it in the trust folder, under the passphrase docker's variables or a person give."""
    path: Path = arguments.file
    text = read_key_file(path)
    if not arguments.json:
        say(f'Loading key from "{path}"...')
    file = KeyFile.parse(text)
    role, gun = owner_of(file, arguments.name)
    store = session.keystore()
    key = open_key(file, role, session.passphrases)
    if store.holds(key.key_id):
        if arguments.json:
            say_json({"key_id": key.key_id, "role": role, "gun": gun, "changed": False})
        else:
            say(f"Nothing to change: the key {key.key_id[:12]} is in the trust folder already.")
        return Exit.NOTHING_TO_CHANGE
    store.add(key, role, gun)
    if arguments.json:
        say_json({"key_id": key.key_id, "role": role, "gun": gun, "changed": True})
    else:
        say(f"Successfully imported key from {path}")
    return Exit.DONE
