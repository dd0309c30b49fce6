"""`trustctl signer remove NAME REPOSITORY...` (reference 5.4), which removes: docker's only says so since 26.0."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each, with_consent
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain
from signing.trust.notary.gun import Gun
from signing.trust.tuf.roles import check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Take the signer away from each repository and say what stops verifying."""
    name = check_signer_name(arguments.name)
    guns = [Gun.parse(text) for text in arguments.repositories]
    report, keystore = Report(as_json=arguments.json), session.keystore()

    def remove(gun: Gun) -> None:
        report.say(f'Removing signer "{name}" from {gun}...')
        with session.repository(gun, keystore) as repository:
            published = with_consent(session, arguments, lambda force: repository.remove_signer(name, force=force))
        report.done(gun, published, signer=name)
        report.say(f"Successfully removed {name} from {gun}")

    for_each(report, guns, remove)
    if report.failures:
        complain(f"error removing signer from: {', '.join(report.failures)}")
    return report.finish()
