"""`trustctl key generate NAME` (reference 1.5)."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.roles import check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Make a key in the trust folder and write its public half to `NAME.pub`."""
    name = check_signer_name(arguments.name)
    path = _place_for(name, arguments.dir)
    if not arguments.json:
        say(f"Generating key for {name}...")
    key = PrivateKey.generate()
    session.keystore().add(key, name)
    _write_new(path, pem.public_pem(key, name))
    if arguments.json:
        say_json({"name": name, "key_id": key.key_id, "public_key": str(path)})
    else:
        say(f"Successfully generated and loaded private key. Corresponding public key available: {path}")
    return Exit.DONE


def _place_for(name: str, folder: Path) -> Path:
    """Check before anything is made that the public half can be written."""
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", next_step="Make it, or name another one with --dir.")
    path = folder.absolute() / f"{name}.pub"
    if path.exists():
        raise InvalidInput(f"{path} exists already.", next_step="Choose another name, or another folder with --dir.")
    return path


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
