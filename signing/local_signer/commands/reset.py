"""`trustctl reset REPOSITORY --all | -n N`: take staged changes back."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Take them back; nothing was published of them."""
    gun, report = Gun.parse(arguments.repository), Report(as_json=arguments.json)
    staged = session.staged(gun)
    count = staged.clear() if arguments.all else len(staged.remove(arguments.numbers))
    report.row(gun, changed=count > 0, removed=count)
    report.say(f"Took back {count} staged change{'' if count == 1 else 's'} of {gun}.")
    return report.finish()
