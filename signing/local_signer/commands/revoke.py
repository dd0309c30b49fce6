"""`trustctl revoke IMAGE[:TAG]...` (reference 5.3)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from signing.local_signer.changing import for_each, stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.errors import InvalidName
from signing.trust.notary.gun import Gun, ImageName


def run(session: Session, arguments: Namespace) -> Exit:
    """Withdraw the tags named, or after a question all tags of a repository."""
    wanted = _by_repository([ImageName.parse(text) for text in arguments.images])
    for gun, tags in wanted.items():
        if not tags:
            question = f"Confirm you would like to delete all signature data for {gun}?"
            session.require_consent(question, given=arguments.yes)
    report, keystore = Report(as_json=arguments.json), session.keystore()

    def revoke(gun: Gun) -> None:
        with session.repository(gun, keystore) as repository:
            if arguments.stage:
                stage(session, report, gun, repository.plan_revoke(wanted[gun]))
                return
            published = repository.revoke(wanted[gun])
        report.done(gun, published, tags=wanted[gun])

    for_each(report, wanted, revoke)
    return report.finish()


def _by_repository(images: Sequence[ImageName]) -> dict[Gun, list[str]]:
    """Give the tags of each repository; none where the whole repository was named."""
    wanted: dict[Gun, list[str]] = {}
    for image in images:
        if image.digest:
            raise InvalidName("A digest cannot be revoked.", next_step="Name a tag, or the repository.")
        wanted.setdefault(image.gun, []).extend([image.tag] if image.tag else [])
    whole = {image.gun for image in images if not image.tag}
    return {gun: [] if gun in whole else list(dict.fromkeys(tags)) for gun, tags in wanted.items()}
