"""`trustctl sign IMAGE:TAG...`: many tags of one repository in one publish (reference 5.2)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from signing.local_signer.changing import for_each, roles_named, stage
from signing.local_signer.exit_codes import Exit
from signing.local_signer.manifests import given_targets, pushed_targets, remote_targets
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.notary.gun import Gun, ImageName, check_digest
from signing.trust.notary.publishing import Published
from signing.trust.tuf.metadata import Target


def run(session: Session, arguments: Namespace) -> Exit:
    """Find out every digest first, then sign repository by repository."""
    images = [ImageName.parse_tagged(text) for text in arguments.images]
    digest = check_digest(arguments.digest) if arguments.digest else None
    into = roles_named(arguments.roles)
    report, keystore = Report(as_json=arguments.json), session.keystore()
    wanted = _by_repository(images)
    found: dict[Gun, list[Target]] = {}
    if not arguments.local:
        for gun, tags in wanted.items():
            found[gun] = _found(session, gun, tags, digest, arguments.size)

    def sign(gun: Gun) -> None:
        with session.repository(gun, keystore) as repository:
            targets = found.get(gun) or pushed_targets(session, gun, wanted[gun], repository, into)
            if arguments.stage:
                stage(session, report, gun, repository.plan_sign(targets, into=into))
                return
            published = repository.sign(targets, into=into)
        rows = _rows(targets, published)
        report.done(gun, published, lambda: _say(report, gun, rows, published), tags=rows)

    for_each(report, wanted, sign)
    return report.finish()


def _found(session: Session, gun: Gun, tags: Sequence[str], digest: str | None, size: int | None) -> list[Target]:
    """Take the command line's word for both digest and size, else ask the registry."""
    if digest and size:
        return given_targets(tags, digest, size)
    return remote_targets(session, gun, dict.fromkeys(tags, digest))


def _by_repository(images: Sequence[ImageName]) -> Mapping[Gun, list[str]]:
    wanted: dict[Gun, dict[str, None]] = {}
    for image in images:
        wanted.setdefault(image.gun, {})[str(image.tag)] = None
    return {gun: list(tags) for gun, tags in wanted.items()}


def _rows(targets: Sequence[Target], published: Published) -> list[dict[str, Any]]:
    released = {(row.tag, row.digest_hex): list(row.signers) for row in published.trusted.released()}
    return [
        {
            "tag": target.name,
            "digest": f"sha256:{target.digest}",
            "size": target.length,
            "released": (target.name, target.digest) in released,
            "signers": released.get((target.name, target.digest), []),
        }
        for target in targets
    ]


def _say(report: Report, gun: Gun, rows: Sequence[dict[str, Any]], published: Published) -> None:
    how = "Successfully signed" if published.versions else "Nothing to change, signed already:"
    for row in rows:
        by = f" by {', '.join(row['signers'])}" if row["signers"] else " with the repository key"
        suffix = by if row["released"] else ", in the roles asked for; it is not released"
        report.say(f"{how} {gun}:{row['tag']} at {row['digest']}{suffix}")
