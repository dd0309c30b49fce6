"""`trustctl revoke IMAGE[:TAG]...` (reference 5.3)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from signing.local_signer.changing import for_each, roles_named, stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.errors import InvalidName, NoSuchTarget, NoTag
from signing.trust.notary.changelist import Change
from signing.trust.notary.gun import Gun, ImageName
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf.metadata import Targets
from signing.trust.tuf.roles import TARGETS


def run(session: Session, arguments: Namespace) -> Exit:
    """Withdraw the tags named, or after a question all tags of a repository."""
    wanted, roles = _by_repository([ImageName.parse(text) for text in arguments.images]), roles_named(arguments.roles)
    for gun, tags in wanted.items():
        if not tags and roles:
            raise NoTag("A role is emptied tag by tag.", next_step="Name the tags, or leave --role out.")
        if not tags:
            question = f"Confirm you would like to delete all signature data for {gun}?"
            session.require_consent(question, given=arguments.yes)
    report, keystore = Report(as_json=arguments.json), session.keystore()

    def revoke(gun: Gun) -> None:
        with session.repository(gun, keystore) as repository:
            plan = _taking_out(repository.refresh(), roles, wanted[gun]) if roles else None
            if arguments.stage:
                stage(session, report, gun, plan or repository.plan_revoke(wanted[gun]))
                return
            published = repository.apply(plan) if plan else repository.revoke(wanted[gun])
        report.done(gun, published, (lambda: _say(report, plan)) if plan else None, tags=wanted[gun])

    for_each(report, wanted, revoke)
    return report.finish()


def _taking_out(trusted: TrustedRepository, roles: Sequence[str], tags: Sequence[str]) -> list[Change]:
    """Plan that these roles hold these tags no more, as `notary remove` does, whether they are released or not.

    Raises:
        NoSuchTarget: none of the roles has a tag.
    """
    files = {TARGETS: trusted.targets, **trusted.delegations}
    plan = [Change.remove_target(role, tag) for role in roles for tag in tags if _holds(files.get(role), tag)]
    for tag in tags:
        if tag not in {change.path for change in plan}:
            raise NoSuchTarget(f"{', '.join(roles)} of {trusted.gun} has no tag {tag!r}.")
    return plan


def _holds(file: Targets | None, tag: str) -> bool:
    return file is not None and tag in file.targets


def _say(report: Report, plan: Sequence[Change]) -> None:
    for change in plan:
        report.say(f"{change.role} does not sign {change.path} any more.")


def _by_repository(images: Sequence[ImageName]) -> dict[Gun, list[str]]:
    """Give the tags of each repository; none where the whole repository was named."""
    wanted: dict[Gun, list[str]] = {}
    for image in images:
        if image.digest:
            raise InvalidName("A digest cannot be revoked.", next_step="Name a tag, or the repository.")
        wanted.setdefault(image.gun, []).extend([image.tag] if image.tag else [])
    whole = {image.gun for image in images if not image.tag}
    return {gun: [] if gun in whole else list(dict.fromkeys(tags)) for gun, tags in wanted.items()}
