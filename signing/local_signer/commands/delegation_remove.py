"""`trustctl delegation remove REPOSITORY ROLE [KEYID...]` (reference 6)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each, publish_or_stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.delegations import (
    check_delegation,
    find_delegation,
    full_key_ids,
    removing_from_delegation,
    split_paths,
)
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Take keys and paths back, or the whole delegation."""
    role, paths = check_delegation(arguments.role), split_paths(arguments.paths)
    report = Report(as_json=arguments.json)

    def remove(gun: Gun) -> None:
        trusted = session.refresh(gun)
        file, item = find_delegation(trusted, role)
        key_ids = full_key_ids(file, [item], arguments.key_ids)
        change = removing_from_delegation(role, key_ids, paths, all_paths=arguments.all_paths)
        publish_or_stage(session, arguments, report, gun, [change])

    for_each(report, [Gun.parse(arguments.repository)], remove)
    return report.finish()
