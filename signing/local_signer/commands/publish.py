"""`trustctl publish REPOSITORY`: publish what was staged here or with notary (reference 6)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import with_consent
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Publish the staged changes in one go; they are taken away only after that."""
    gun, report = Gun.parse(arguments.repository), Report(as_json=arguments.json)
    staged = session.staged(gun)
    changes = staged.read()
    if not changes:
        report.row(gun, changed=False, published={}, changes=[], warnings=[])
        report.say(f"Nothing to change: there are no staged changes for {gun}.")
        return report.finish()
    with session.repository(gun, session.keystore()) as repository:
        published = with_consent(session, arguments, lambda force: repository.apply(changes, force=force))
    staged.remove(range(len(changes)))  # not those staged since
    report.done(gun, published)
    return report.finish()
