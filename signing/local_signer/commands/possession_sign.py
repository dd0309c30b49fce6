"""`trustctl possession sign CHALLENGE`: sign the text of a request, and nothing that could be anything else."""

from __future__ import annotations

import base64
from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput
from signing.trust.policy.possession import check_challenge, key_of


def run(session: Session, arguments: Namespace) -> Exit:
    """Print the signature as base64, to be pasted where the challenge was shown."""
    challenge = check_challenge(arguments.challenge.strip())
    wanted = key_of(challenge)
    store = session.keystore()
    key_id = choose_key(store, arguments.key or wanted).key_id
    if key_id != wanted:
        raise InvalidInput(
            f"The challenge is for the key {wanted[:12]}, not for {key_id[:12]}.",
            next_step="Leave --key out, or name the signer's key.",
        )
    _, signature = store.open(key_id).sign(challenge.encode())
    text = base64.b64encode(signature).decode()
    if arguments.json:
        say_json({"challenge": challenge, "key_id": key_id, "signature": text})
    else:
        say(text)
    return Exit.DONE
