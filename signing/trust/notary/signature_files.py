"""The two files of an offline signature: what is to be signed, on its way there, and the signature on its way back."""

from __future__ import annotations

import base64
import json

from signing.trust.errors import InvalidInput
from signing.trust.policy.foreign_signature import signature_bytes

REQUEST_FORMAT = "trustui-signature-request-1"
SIGNATURE_FORMAT = "trustui-signature-1"
LARGEST_SIGNATURE_FILE = 16 * 1024


def write_signature(task: int, sha256: str, key_id: str, signature: bytes) -> dict[str, object]:
    """Give the file that brings a signature back."""
    return {
        "format": SIGNATURE_FORMAT,
        "id": task,
        "sha256": sha256,
        "key_id": key_id,
        "signature": base64.b64encode(signature).decode(),
    }


def read_signature_file(text: str) -> tuple[int | None, str | None, bytes]:
    """Read a signature: the file trustctl wrote, or base64 alone. Gives request, hash of the bytes and signature.

    Raises:
        InvalidInput: it is neither.
    """
    if not text.lstrip().startswith("{"):
        return None, None, signature_bytes(text)
    try:
        found = json.loads(text)
        if found["format"] != SIGNATURE_FORMAT:
            raise ValueError
        return int(found["id"]), str(found["sha256"]), signature_bytes(str(found["signature"]))
    except (KeyError, ValueError, TypeError, RecursionError):
        raise InvalidInput(
            "That is no signature file of trustctl.", next_step="Choose the file trustctl sign-request wrote."
        ) from None
