"""`trustctl key list`."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json


def run(session: Session, arguments: Namespace) -> Exit:
    """List the private keys of the trust folder, unopened."""
    keys = session.keystore().list()
    if arguments.json:
        say_json([{"key_id": key.key_id, "role": key.role, "gun": key.gun} for key in keys])
        return Exit.DONE
    if not keys:
        say(f"There are no keys in {session.trust_dir}. Make one with `trustctl key generate NAME`.")
        return Exit.DONE
    rows = [("ROLE", "KEY ID", "REPOSITORY"), *((key.role, key.key_id, key.gun or "") for key in keys)]
    for role, key_id, gun in rows:
        say(plain_line(f"{role:<20} {key_id:<64} {gun}").rstrip())
    return Exit.DONE
