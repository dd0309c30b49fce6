"""`trustctl key remove KEY`."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key, shown_name
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.tuf.roles import ROOT


def run(session: Session, arguments: Namespace) -> Exit:
    """Delete a private key after a question; what it signed stays as it is."""
    store = session.keystore()
    info = choose_key(store, arguments.key)
    name = plain_line(shown_name(info))
    lost = " Without a copy nobody can rotate keys of its repositories any more." if info.role == ROOT else ""
    session.require_consent(f"This deletes the {name} for good.{lost} Are you sure?", given=arguments.yes)
    store.remove(info.key_id)
    if arguments.json:
        say_json({"key_id": info.key_id, "role": info.role, "gun": info.gun, "changed": True})
    else:
        say(f"Deleted the {name}.")
    return Exit.DONE
