"""Prove to hold a private key: sign a text that can be nothing else.

What is signed begins with `PREFIX`. Notary's metadata begins with a brace, so no such signature can ever be passed off
as one of metadata, and no metadata as a challenge. Request, key, account and nonce are in the text: a signature serves
one request only.
"""

from __future__ import annotations

import re

from signing.trust.errors import InvalidInput, WrongSignature
from signing.trust.policy.foreign_signature import read_signature, signature_bytes
from signing.trust.tuf.keys import PublicKey

PREFIX = "trustui-possession-1"
LONGEST_CHALLENGE = 200

_CHALLENGE = re.compile(rf"{PREFIX}:[0-9]+:[0-9a-f]{{64}}:[-a-zA-Z0-9_]+:[0-9a-f]{{32}}", re.ASCII)


def make_challenge(request: int, key_id: str, account: str, nonce: str) -> str:
    """Write the text to sign; `nonce` is 32 hex digits nobody can guess."""
    return check_challenge(f"{PREFIX}:{request}:{key_id}:{account}:{nonce}")


def check_challenge(text: str) -> str:
    """Return a text if it is a challenge and nothing else that somebody would like signed.

    Raises:
        InvalidInput: it is not.
    """
    if len(text) > LONGEST_CHALLENGE or not _CHALLENGE.fullmatch(text):
        raise InvalidInput(
            "This is not a challenge of TrustUI, so it is not signed.",
            next_step="Copy the whole text from the request.",
        )
    return text


def key_of(challenge: str) -> str:
    """Tell which key has to sign a challenge, by its canonical id."""
    return check_challenge(challenge).split(":")[2]


def require_signed(challenge: str, key: PublicKey, signature: str) -> None:
    """Raise unless `signature` (base64, as trustctl and openssl write them) is the key's over the challenge.

    Raises:
        InvalidInput: it is not.
    """
    payload = check_challenge(challenge).encode()
    try:
        read_signature(key, payload, signature_bytes(signature))
    except WrongSignature:
        raise InvalidInput(
            "This signature was not made over the challenge with the signer's key.",
            next_step="Sign the challenge of this very request with the key named here, then paste all of the output.",
        ) from None
