"""`trustctl delegation purge REPOSITORY --key ID` (reference 6)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each, publish_or_stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.changelist import Change
from signing.trust.notary.delegations import full_key_ids
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Take keys out of every delegation."""
    report = Report(as_json=arguments.json)

    def purge(gun: Gun) -> None:
        trusted = session.refresh(gun)
        files = [trusted.targets, *trusted.delegations.values()]
        found = {
            key_id
            for file in files
            for key_id in full_key_ids(file, file.delegations, arguments.key_ids, must_exist=False)
        }
        changes = [Change.purge(sorted(found))] if found else []
        publish_or_stage(session, arguments, report, gun, changes)

    for_each(report, [Gun.parse(arguments.repository)], purge)
    return report.finish()
