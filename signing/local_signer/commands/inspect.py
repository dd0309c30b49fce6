"""`trustctl inspect [--pretty] IMAGE[:TAG]...`: what `docker trust inspect` prints (reference 5.5, 5.6)."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, sentence
from signing.trust.errors import InvalidName, TrustError
from signing.trust.notary.gun import ImageName
from signing.trust.notary.inspect import describe, pretty_all, to_json
from signing.trust.notary.trusted import TrustedRepository


def run(session: Session, arguments: Namespace) -> Exit:
    """Print every image that verifies; FAILED if one did not, or a delegation of one did not."""
    described: list[dict[str, Any]] = []
    complete = True
    for text in arguments.images:
        try:
            trusted, description = _described(session, text)
        except TrustError as error:
            complain_of(error, text)
            complete = False
            continue
        described.append(description)
        complete = _all_verified(trusted, text) and complete
    sys.stdout.write(pretty_all(described) if arguments.pretty else to_json(described))
    return Exit.DONE if complete else Exit.FAILED


def _described(session: Session, text: str) -> tuple[TrustedRepository, dict[str, Any]]:
    image = ImageName.parse(text)
    if image.digest:
        raise InvalidName("A digest cannot be inspected.", next_step="Name the repository, or one of its tags.")
    trusted = session.refresh(image.gun)
    return trusted, describe(trusted, text, image.tag)


def _all_verified(trusted: TrustedRepository, text: str) -> bool:
    """Tell of delegations that do not count now; docker passes over them in silence."""
    for role, error in trusted.left_out.items():
        complain(f"{text}: what {role} signed does not count. {sentence(error)}")
    return not trusted.left_out
