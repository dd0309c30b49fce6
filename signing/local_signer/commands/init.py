"""`trustctl init REPOSITORY...`: what `notary init -p` does, with the snapshot key on the server."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Create the trust data of each repository that has none."""
    report, keystore = Report(as_json=arguments.json), session.keystore()

    def initialise(gun: Gun) -> None:
        with session.repository(gun, keystore) as repository:
            report.done(gun, repository.initialise())

    for_each(report, [Gun.parse(text) for text in arguments.repositories], initialise)
    return report.finish()
