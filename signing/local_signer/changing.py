"""How every command writes: each repository by itself, asking first where something would break, or only staging."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence

from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain
from signing.trust.errors import NotConfirmed, TrustError
from signing.trust.notary.changelist import Change
from signing.trust.notary.delegations import check_delegation
from signing.trust.notary.gun import Gun
from signing.trust.notary.publishing import Published
from signing.trust.notary.repository import Repository
from signing.trust.tuf.roles import TARGETS


def roles_named(names: Sequence[str]) -> list[str]:
    """Read the roles after `--role`: `targets`, or a delegation with or without `targets/` before it.

    Raises:
        InvalidName: one is neither.
    """
    return [name if name == TARGETS else check_delegation(name) for name in names]


def for_each(report: Report, guns: Iterable[Gun], act: Callable[[Gun], None]) -> None:
    """Do something to each repository once; one that fails does not keep the others from being done."""
    for gun in dict.fromkeys(guns):
        try:
            act(gun)
        except TrustError as error:
            report.failed(gun, error)


def publish_or_stage(
    session: Session,
    arguments: Namespace,
    report: Report,
    gun: Gun,
    changes: Sequence[Change],
    publish: Callable[[Repository, bool], Published] | None = None,
) -> None:
    """Publish now, or with `--stage` only stage."""
    if arguments.stage:
        stage(session, report, gun, changes)
        return
    with session.repository(gun, session.keystore()) as repository:
        write = publish or (lambda repository, force: repository.apply(changes, force=force))
        report.done(gun, with_consent(session, arguments, lambda force: write(repository, force)))


def stage(session: Session, report: Report, gun: Gun, changes: Sequence[Change]) -> None:
    """Keep changes for `trustctl publish` or `notary publish`."""
    staged = session.staged(gun)
    for change in changes:
        staged.add(change)
    report.row(gun, changed=bool(changes), staged=len(changes))
    report.say(f"Staged {len(changes)} change{'' if len(changes) == 1 else 's'} for {gun}.")


def with_consent(session: Session, arguments: Namespace, act: Callable[[bool], Published]) -> Published:
    """Do it; where it would break something, ask at the terminal, else refuse unless `--force` was given."""
    try:
        return act(getattr(arguments, "force", False))
    except NotConfirmed as error:
        error.next_step = "Add another signer first, or give --force if that is meant."
        if not session.can_ask:
            raise
        complain(error.message)
        if not session.asks("Are you sure you want to continue?"):
            raise
        return act(True)
