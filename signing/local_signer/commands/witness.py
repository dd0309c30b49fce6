"""`trustctl witness REPOSITORY ROLE...` (reference 6), which also revives an expired `targets` or root."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each, publish_or_stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.errors import InvalidInput
from signing.trust.notary.changelist import Change
from signing.trust.notary.delegations import check_delegation
from signing.trust.notary.gun import Gun
from signing.trust.tuf.roles import ROOT, TARGETS


def run(session: Session, arguments: Namespace) -> Exit:
    """Sign the roles' files anew."""
    names = [name if name in (ROOT, TARGETS) else check_delegation(name) for name in arguments.roles]
    if arguments.stage and ROOT in names:
        raise InvalidInput("A root cannot be staged.", next_step="Leave --stage out.")
    report = Report(as_json=arguments.json)
    changes = [Change.witness(name) for name in names if name != ROOT]

    def witness(gun: Gun) -> None:
        publish_or_stage(session, arguments, report, gun, changes, lambda repository, _: repository.witness(names))

    for_each(report, [Gun.parse(arguments.repository)], witness)
    return report.finish()
