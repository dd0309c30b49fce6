"""`trustctl verify IMAGE:TAG`: the digest that `docker pull` takes with content trust on (reference 4.4)."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import HashMismatch, InvalidInput
from signing.trust.notary.gun import ImageName, check_digest
from signing.trust.tuf.roles import RELEASES


def run(session: Session, arguments: Namespace) -> Exit:
    """Print the digest only if the tag is signed and all it rests on verified.

    Stricter than docker, which takes an older digest from `targets` where `targets/releases` does not verify.
    """
    image = ImageName.parse_tagged(arguments.image)
    wanted = check_digest(arguments.digest) if arguments.digest else None
    trusted = session.refresh(image.gun)
    if RELEASES in trusted.left_out:
        raise trusted.left_out[RELEASES]
    found = trusted.find_released(str(image.tag))
    digest = f"sha256:{found.digest_hex}"
    if arguments.manifest:
        wanted = _digest_of(arguments.manifest)
    if wanted and wanted != digest:
        raise HashMismatch(
            f"{image.gun}:{image.tag} is signed with {digest}, not with {wanted}.",
            next_step="Do not use the other image, or have it signed.",
        )
    if arguments.json:
        tag = {"repository": str(image.gun), "tag": found.tag, "digest": digest, "size": found.length}
        say_json({**tag, "signers": list(found.signers), "root": session.pinning.anchor_of(image.gun)})
    else:
        say(digest)
    return Exit.DONE


def _digest_of(path: Path) -> str:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name the file of the image's manifest.")
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
