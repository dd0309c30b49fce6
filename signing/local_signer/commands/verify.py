"""`trustctl verify IMAGE:TAG`: the digest that `docker pull` takes with content trust on (reference 4.4)."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import HashMismatch
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
    if wanted and wanted != digest:
        raise HashMismatch(
            f"{image.gun}:{image.tag} is signed with {digest}, not with {wanted}.",
            next_step="Do not use the other image, or have it signed.",
        )
    if arguments.json:
        tag = {"repository": str(image.gun), "tag": found.tag, "digest": digest, "size": found.length}
        say_json({**tag, "signers": list(found.signers)})
    else:
        say(digest)
    return Exit.DONE
