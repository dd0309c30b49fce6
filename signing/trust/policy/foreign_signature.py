"""Take a signature that a holder made elsewhere: with trustctl, openssl or a tool of their own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signing.trust.errors import InvalidInput, InvalidKey, WrongSignature
from signing.trust.tuf.keys import PublicKey

LONGEST_SIGNATURE = 4096


def read_signature(key: PublicKey, payload: bytes, raw: bytes) -> tuple[str, bytes]:
    """Give the method and the bytes of a signature as metadata holds them.

    openssl writes ECDSA as DER and RSA as PKCS 1, Notary's clients do neither.

    Raises:
        WrongSignature: it is not the key's signature of `payload`.
    """
    for method, form in _readings(key, raw):
        if key.verifies(method, form, payload):
            return method, form
    raise WrongSignature(f"This signature was not made over these very bytes with the key {key.canonical_id[:12]}.")


def signature_bytes(text: str) -> bytes:
    """Read a signature as people paste it: base64.

    Raises:
        InvalidInput: it is none.
    """
    packed = "".join(text.split())
    try:
        if not packed or len(packed) > LONGEST_SIGNATURE:
            raise ValueError
        return base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error):
        raise InvalidInput("A signature is base64 text.", next_step="Paste all of the command's output.") from None


def _readings(key: PublicKey, raw: bytes) -> Iterator[tuple[str, bytes]]:
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
