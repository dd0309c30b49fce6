"""`trustctl plugin remove`."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.plugin.install import is_ours, place
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput


def run(session: Session, arguments: Namespace) -> Exit:
    """Delete the plugin's file if this program wrote it."""
    path = place(session, arguments.name)
    was_there = path.exists()
    if was_there:
        if not is_ours(path):
            raise InvalidInput(f"{path} is not ours.", next_step="Remove it yourself if you do not need it.")
        path.unlink()
    if arguments.json:
        say_json({"plugin": str(path), "changed": was_there})
    else:
        say(f"Removed {path}." if was_there else f"There is no {path}.")
    return Exit.DONE if was_there else Exit.NOTHING_TO_CHANGE
