"""`trustctl key generate NAME` (reference 1.5)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.new_files import place_for, write_new
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.roles import check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Make a key in the trust folder and write its public half to `NAME.pub`."""
    name = check_signer_name(arguments.name)
    path = place_for(arguments.dir, f"{name}.pub")
    if not arguments.json:
        say(f"Generating key for {name}...")
    key = PrivateKey.generate()
    session.keystore().add(key, name)
    write_new(path, pem.public_pem(key, name))
    if arguments.json:
        say_json({"name": name, "key_id": key.key_id, "public_key": str(path)})
    else:
        say(f"Successfully generated and loaded private key. Corresponding public key available: {path}")
    return Exit.DONE
