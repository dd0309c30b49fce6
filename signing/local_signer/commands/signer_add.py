"""`trustctl signer add --key FILE NAME REPOSITORY...` (reference 5.1)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.changing import for_each
from signing.local_signer.exit_codes import Exit
from signing.local_signer.public_keys import read_public_keys
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain
from signing.trust.notary.gun import Gun
from signing.trust.notary.publishing import Published
from signing.trust.tuf.roles import ROOT, check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Add the signer to each repository; those that fail are named at the end, the others are done."""
    name, keys = check_signer_name(arguments.name), read_public_keys(arguments.key)
    guns = [Gun.parse(text) for text in arguments.repositories]
    report, keystore = Report(as_json=arguments.json), session.keystore()

    def add(gun: Gun) -> None:
        report.say(f'Adding signer "{name}" to {gun}...')
        with session.repository(gun, keystore) as repository:
            published = repository.add_signer(name, keys)
        report.done(gun, published, lambda: _say(report, name, gun, published), signer=name)

    for_each(report, guns, add)
    if report.failures:
        complain(f"failed to add signer to: {', '.join(report.failures)}")
    return report.finish()


def _say(report: Report, name: str, gun: Gun, published: Published) -> None:
    """Say it in docker's words."""
    if ROOT in published.versions and published.versions[ROOT] == 1:
        report.say(f'Successfully initialized "{gun}"')
    if published.versions:
        report.say(f"Successfully added signer: {name} to {gun}")
    else:
        report.say(f"Nothing to change: {name} is a signer of {gun} with these keys already.")
    report.say("")
