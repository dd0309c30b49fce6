"""`trustctl plugin remove`."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.plugin.install import is_ours, place
from signing.local_signer.session import Session
from signing.local_signer.terminal import say
from signing.trust.errors import InvalidInput


def run(session: Session, arguments: Namespace) -> Exit:
    """Delete the plugin's file if this program wrote it."""
    path = place(session, arguments.name)
    if not path.exists():
        say(f"There is no {path}.")
        return Exit.NOTHING_TO_CHANGE
    if not is_ours(path):
        raise InvalidInput(f"{path} is not ours.", next_step="Remove it yourself if you do not need it.")
    path.unlink()
    say(f"Removed {path}.")
    return Exit.DONE
