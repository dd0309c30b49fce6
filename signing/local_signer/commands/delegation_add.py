"""`trustctl delegation add REPOSITORY ROLE [FILE...]` (reference 6)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each, publish_or_stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.public_keys import read_public_keys
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.errors import InvalidInput
from signing.trust.notary.changelist import Change
from signing.trust.notary.delegations import check_delegation, split_paths
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Make the delegation, or add keys and paths to it."""
    role, keys = check_delegation(arguments.role), read_public_keys(arguments.keys)
    paths = [*split_paths(arguments.paths), *([""] if arguments.all_paths else [])]
    if not keys and not paths and not arguments.threshold:
        raise InvalidInput(
            "There is nothing to add to the delegation.",
            next_step="Name public keys, --paths, --all-paths or --threshold.",
        )
    changes = [Change.add_delegation(role, keys, paths, arguments.threshold or 1)]
    if arguments.threshold:
        changes.append(Change.edit_delegation(role, threshold=arguments.threshold))  # an existing one keeps its own
    report = Report(as_json=arguments.json)

    def add(gun: Gun) -> None:
        publish_or_stage(session, arguments, report, gun, changes)

    for_each(report, [Gun.parse(arguments.repository)], add)
    return report.finish()
