"""`trustctl inspect [--pretty] IMAGE[:TAG]...`: what `docker trust inspect` prints (reference 5.5, 5.6)."""

from __future__ import annotations

import sys
from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, sentence
from signing.trust.errors import InvalidName, TrustError
from signing.trust.notary.gun import ImageName
from signing.trust.notary.inspect import describe, image_json, images_json, pretty_all
from signing.trust.notary.trusted import TrustedRepository


def run(session: Session, arguments: Namespace) -> Exit:
    """Print every image that verifies; FAILED if one did not, or a delegation of one did not."""
    found: list[tuple[TrustedRepository, str, str | None]] = []
    complete = True
    for text in arguments.images:
        try:
            image = ImageName.parse(text)
            if image.digest:
                raise InvalidName("A digest cannot be inspected.", next_step="Name the repository, or one of its tags.")
            trusted = session.refresh(image.gun)
        except TrustError as error:
            complain_of(error, text)
            complete = False
            continue
        found.append((trusted, text, image.tag))
        complete = _all_verified(trusted, text) and complete
    if arguments.pretty:
        sys.stdout.write(pretty_all([describe(*image) for image in found]))
    else:
        sys.stdout.write(images_json([image_json(*image) for image in found]))
    return Exit.DONE if complete else Exit.FAILED


def _all_verified(trusted: TrustedRepository, text: str) -> bool:
    """Tell of delegations that do not count now; docker passes over them in silence."""
    for role, error in trusted.left_out.items():
        complain(f"{text}: what {role} signed does not count. {sentence(error)}")
    return not trusted.left_out
