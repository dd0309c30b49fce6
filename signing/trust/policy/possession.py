"""Prove to hold a private key: sign a text that can be nothing else.

What is signed begins with `PREFIX`. Notary's metadata begins with a brace, so no such signature can ever be passed off
as one of metadata, and no metadata as a challenge. Request, key, account and nonce are in the text: a signature serves
one request only.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signing.trust.errors import InvalidInput, InvalidKey
from signing.trust.tuf.keys import PublicKey

PREFIX = "trustui-possession-1"
LONGEST_CHALLENGE = 200
LONGEST_SIGNATURE = 4096

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
    raw = _bytes_of(signature)
    if not any(key.verifies(method, form, payload) for method, form in _readings(key, raw)):
        raise InvalidInput(
            "This signature was not made over the challenge with the signer's key.",
            next_step="Sign the challenge of this very request with the key named here, then paste all of the output.",
        )


def _bytes_of(signature: str) -> bytes:
    text = "".join(signature.split())
    try:
        if not text or len(text) > LONGEST_SIGNATURE:
            raise ValueError
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("A signature is base64 text.", next_step="Paste all of the command's output.") from None


def _readings(key: PublicKey, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the ways to read a signature: openssl writes ECDSA as DER and RSA as PKCS 1, Notary does neither."""
    if key.family == "rsa":
        yield from (("rsapss", raw), ("rsapkcs1v15", raw))
    elif key.family == "ed25519":
        yield "eddsa", raw
    else:
        yield "ecdsa", raw
        try:
            r, s = decode_dss_signature(raw)
            curve = key.loaded
            size = (curve.curve.key_size + 7) // 8 if isinstance(curve, ec.EllipticCurvePublicKey) else 0
            yield "ecdsa", r.to_bytes(size) + s.to_bytes(size)
        except (ValueError, OverflowError, InvalidKey):
            return
