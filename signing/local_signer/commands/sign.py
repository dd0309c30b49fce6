"""`trustctl sign IMAGE:TAG...`: many tags of one repository in one publish, without any Engine."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.registry import Manifest, Registry
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain_of, say, say_json
from signing.trust.errors import TrustError
from signing.trust.notary.gun import Gun, ImageName, check_digest
from signing.trust.notary.repository import Published
from signing.trust.tuf.metadata import Target

Rows = list[dict[str, Any]]


def run(session: Session, arguments: Namespace) -> Exit:
    """Find out every digest first, then sign repository by repository."""
    images = [ImageName.parse_tagged(text) for text in arguments.images]
    given = Manifest(check_digest(arguments.digest), arguments.size) if arguments.digest else None
    wanted = _by_repository(session, images, given)
    keystore = session.keystore()
    signed: Rows = []
    complete = True
    for gun, targets in wanted.items():
        try:
            with session.repository(gun, keystore) as repository:
                published = repository.sign(targets)
        except TrustError as error:
            complain_of(error, str(gun))
            complete = False
            continue
        rows = _rows(gun, targets, published)
        signed += rows
        if not arguments.json:
            _report(rows)
    if arguments.json:
        say_json(signed)
    return Exit.DONE if complete else Exit.FAILED


def _by_repository(session: Session, images: Sequence[ImageName], given: Manifest | None) -> Mapping[Gun, list[Target]]:
    wanted: dict[Gun, dict[str, ImageName]] = {}
    for image in images:
        wanted.setdefault(image.gun, {})[str(image.tag)] = image
    return {gun: _targets(session, gun, tags, given) for gun, tags in wanted.items()}


def _targets(session: Session, gun: Gun, tags: Mapping[str, ImageName], given: Manifest | None) -> list[Target]:
    if given:
        return [Target.from_digest(tag, given.digest, given.size) for tag in tags]
    with Registry.connect(gun, session.docker.login(gun.host)) as registry:
        found = {tag: registry.manifest(image) for tag, image in tags.items()}
    return [Target.from_digest(tag, manifest.digest, manifest.size) for tag, manifest in found.items()]


def _rows(gun: Gun, targets: Sequence[Target], published: Published) -> Rows:
    return [
        {
            "repository": str(gun),
            "tag": target.name,
            "digest": f"sha256:{target.digest}",
            "size": target.length,
            "signers": list(published.trusted.find_released(target.name).signers),
            "published": bool(published.versions),
        }
        for target in targets
    ]


def _report(rows: Rows) -> None:
    for row in rows:
        by = f" by {', '.join(row['signers'])}" if row["signers"] else " with the repository key"
        how = "Successfully signed" if row["published"] else "Signed already:"
        say(f"{how} {row['repository']}:{row['tag']} at {row['digest']}{by}")
