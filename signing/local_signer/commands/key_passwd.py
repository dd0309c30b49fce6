"""`trustctl key passwd KEY`."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key, shown_name
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.keystore import pem


def run(session: Session, arguments: Namespace) -> Exit:
    """Encrypt a key's file under another passphrase."""
    store = session.keystore()
    info = choose_key(store, arguments.key)
    key = store.open(info.key_id)
    passphrase = session.passphrases.fresh(info.role, info.key_id)
    store.write(info.key_id, pem.encrypt(key, passphrase, info.role, info.gun))
    if arguments.json:
        say_json({"key_id": info.key_id, "role": info.role, "gun": info.gun, "changed": True})
    else:
        say(plain_line(f"Changed the passphrase of the {shown_name(info)}."))
    return Exit.DONE
