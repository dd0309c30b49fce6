"""`trustctl delete REPOSITORY [--remote]` (reference 6)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Forget the repository here, staged changes too; with `--remote` delete it on the server first. Keys stay."""
    gun, report = Gun.parse(arguments.repository), Report(as_json=arguments.json)
    was_remote = False
    if arguments.remote:
        session.require_consent(
            f"This deletes every signature of {gun} on the trust server. Are you sure?", given=arguments.yes
        )
        with session.repository(gun, session.keystore()) as repository:
            was_remote = repository.delete()
    was_local = session.forget(gun)
    staged = session.staged(gun).clear()
    report.row(gun, changed=was_remote or was_local or staged > 0, deleted_on_server=was_remote)
    if was_remote:
        report.say(f"The trust data of {gun} is deleted on the trust server and here; the keys stay.")
        report.say("Anybody whose docker or notary remembers it makes it anew on publishing: have them forget it too.")
    elif was_local or staged:
        report.say(f"Nothing of {gun} is remembered here any more; the trust server still has what it had.")
    else:
        report.say(f"Nothing to change: nothing of {gun} was there.")
    return report.finish()
