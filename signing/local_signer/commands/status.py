"""`trustctl status REPOSITORY`: the staged changes, as `notary status` lists them."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """List them by the numbers that `trustctl reset` takes."""
    gun = Gun.parse(arguments.repository)
    changes = session.staged(gun).read()
    if arguments.json:
        say_json(
            [
                {
                    "number": number,
                    "action": change.action,
                    "role": change.role,
                    "type": change.kind,
                    "path": change.path,
                }
                for number, change in enumerate(changes)
            ]
        )
    elif not changes:
        say(f"No unpublished changes for {gun}")
    else:
        say(f"Unpublished changes for {gun}:\n")
        say(f"{'#':<4} {'ACTION':<10} {'SCOPE':<24} {'TYPE':<12} PATH")
        for number, change in enumerate(changes):
            say(
                plain_line(
                    f"{number:<4} {change.action:<10} {change.role:<24} {change.kind:<12} {change.path}"
                ).rstrip()
            )
    return Exit.DONE
