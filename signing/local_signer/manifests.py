"""Find out what is to be signed: from the command line, the registry, or the Docker Engine's own image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from signing.local_signer.registry import Manifest, Registry
from signing.local_signer.terminal import Progress
from signing.trust.notary.gun import Gun, ImageName
from signing.trust.tuf.metadata import Target

if TYPE_CHECKING:
    from signing.local_signer.session import Session
    from signing.trust.notary.repository import Repository


def given_targets(tags: Sequence[str], digest: str, size: int) -> list[Target]:
    """Give each tag the digest and size from the command line."""
    return [Target.from_digest(tag, digest, size) for tag in tags]


def remote_targets(session: Session, gun: Gun, tags: Mapping[str, str | None]) -> list[Target]:
    """Ask the registry what tags mean now, or for the manifests of the digests given with them."""
    progress = Progress(f"Asking {gun.host}", len(tags))
    found: dict[str, Manifest] = {}
    with Registry.connect(gun.host, session.docker.login(gun.host)) as registry:
        for tag, digest in tags.items():
            found[tag] = registry.manifest(ImageName(gun, tag, digest))
            progress.step(tag)
    progress.end()
    return [Target.from_digest(tag, manifest.digest, manifest.size) for tag, manifest in found.items()]


def pushed_targets(
    session: Session, gun: Gun, tags: Sequence[str], repository: Repository, into: Sequence[str]
) -> list[Target]:
    """Push the Engine's own images as `docker trust sign` does, and take their digests from that.

    Before anything is pushed the keys have to open: docker moves the tag first and may then leave it unsigned. The
    size is that of the manifest in the registry, whose bytes are hashed here: the Engine's word is not enough.
    """
    from signing.local_signer.engine import Engine

    for tag in tags:
        repository.require_signable(tag, into=into)
    with Engine.connect(session.environ) as engine:
        pushed = {tag: engine.push(gun, tag, session.docker.login(gun.host)) for tag in tags}
    return remote_targets(session, gun, pushed)
