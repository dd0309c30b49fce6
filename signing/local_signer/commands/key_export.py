"""`trustctl key export [KEY...]`: what `notary key export` writes, keys still encrypted under their own passphrases."""

from __future__ import annotations

import sys
from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key
from signing.local_signer.new_files import place_for, write_new
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput, KeyNotHeld
from signing.trust.keystore.base import KeyInfo
from signing.trust.keystore.encrypted_files import FileKeyStore
from signing.trust.keystore.pem import KeyFile
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Write the chosen keys, else all, to stdout or to a new file for the owner alone."""
    if arguments.json and arguments.output is None:
        raise InvalidInput("With --json the keys need a file.", next_step="Name one with --output.")
    store = session.keystore()
    infos = _chosen(store, arguments)
    text = "".join(KeyFile.parse(store.text(info.key_id)).to_text(path=info.key_id) for info in infos)
    if arguments.output is None:
        sys.stdout.write(text)
        return Exit.DONE
    path = place_for(arguments.output.absolute().parent, arguments.output.name)
    write_new(path, text)
    if arguments.json:
        say_json({"file": str(path), "key_ids": [info.key_id for info in infos]})
    else:
        say(f"Wrote {len(infos)} key{'' if len(infos) == 1 else 's'}, still encrypted, to {path}")
    return Exit.DONE


def _chosen(store: FileKeyStore, arguments: Namespace) -> list[KeyInfo]:
    infos = [choose_key(store, text) for text in arguments.keys] or store.list()
    if arguments.gun:
        gun = Gun.parse(arguments.gun)
        infos = [info for info in infos if info.gun == gun]
    if not infos:
        raise KeyNotHeld("There is no such key to export.", next_step="List the keys with `trustctl key list`.")
    return list(dict.fromkeys(infos))
