"""`docker trust sign IMAGE:TAG` (reference 5.2): push what is not released yet, then sign it.

One deviation: whether the tag can be signed is known before anything is pushed. docker pushes first, so that a signing
that fails leaves an unsigned image behind.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, say
from signing.trust.errors import CannotSign, InvalidInput, NoSuchTarget, NoTrustData, TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.gun import ImageName
from signing.trust.notary.inspect import visible
from signing.trust.notary.repository import Repository
from signing.trust.notary.trusted import ReleasedTag, TrustedRepository
from signing.trust.tuf.metadata import Target
from signing.trust.tuf.roles import check_signer_name

_PUSHED = re.compile(r"digest: (sha256:[0-9a-f]{64}) size: ([0-9]{1,15})\s*$", re.ASCII)


def run(session: Session, arguments: Namespace) -> Exit:
    """Sign one tag as docker does, and say what docker says."""
    image = ImageName.parse_tagged(arguments.image)
    tag = str(image.tag)
    with session.repository(image.gun, session.keystore()) as repository:
        trusted = _refreshed_or_new(session, repository, arguments)
        repository.require_signable(tag)
        known = None if arguments.local else _released(trusted, tag)
        if known is None:
            complain(
                f"Signing and pushing trust data for local image {arguments.image}, may overwrite remote trust data"
            )
            digest, size = _push(arguments.image, arguments.docker_options)
            say("Signing and pushing trust metadata")
        else:
            digest, size = known.digest_hex, known.length
            say(f"Signing and pushing trust metadata for {arguments.image}")
            say(f"Existing signatures for tag {tag} digest {digest} from:\n{visible(', '.join(known.signers))}")
        repository.sign([Target.from_digest(tag, digest, size)])
    say(f"Successfully signed {image.gun}:{tag}")
    return Exit.DONE


def _refreshed_or_new(session: Session, repository: Repository, arguments: Namespace) -> TrustedRepository:
    try:
        return repository.refresh()
    except NoTrustData:
        return _initialised(session, repository, arguments.image)


def _initialised(session: Session, repository: Repository, image: str) -> TrustedRepository:
    """Begin a repository whose first signer is called as the person is at the registry."""
    gun = repository.gun
    login = session.docker.login(gun.host)
    if login is None:
        raise CannotSign(
            f"{gun} has no signer yet, and its first one is named after your login, which is missing.",
            next_step=f"Run `docker login {gun.host}`, or add a signer first: docker trust signer add.",
        )
    name = check_signer_name(login.username)
    store = session.keystore()
    say(f"Initializing signed repository for {gun}...")
    known = sorted(info.key_id for info in store.list() if info.role == name)
    key = store.open(known[0]) if known else PrivateKey.generate()
    if not known:
        store.add(key, name)
    trusted = repository.add_signer(name, [key.public]).trusted
    say(f"Created signer: {name}")
    say(f"Finished initializing signed repository for {image}")
    return trusted


def _released(trusted: TrustedRepository, tag: str) -> ReleasedTag | None:
    try:
        return trusted.find_released(tag)
    except NoSuchTarget:
        return None


def _push(image: str, docker_options: Sequence[str]) -> tuple[str, int]:
    """Have docker push, by its own contexts and logins, and read the digest and size it prints at the end."""
    docker = os.environ.get("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND") or shutil.which("docker")
    if not docker:
        raise InvalidInput("There is no docker to push with.", next_step="Install the docker command.")
    pushed: tuple[str, int] | None = None
    without_trust = {**os.environ, "DOCKER_CONTENT_TRUST": "0"}  # an old docker would sign by itself
    with subprocess.Popen(  # noqa: S603  the docker that called this plugin
        [docker, *docker_options, "push", image], stdout=subprocess.PIPE, text=True, errors="replace", env=without_trust
    ) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            if found := _PUSHED.search(line):
                pushed = found[1], int(found[2])
    if process.returncode != 0 or pushed is None:
        raise TrustError(
            f"docker did not push {image}, so nothing was signed.", next_step="See what docker says above."
        )
    return pushed
