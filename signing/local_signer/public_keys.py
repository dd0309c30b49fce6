"""Read the public keys that people name on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from signing.trust.errors import InvalidInput, InvalidKey
from signing.trust.tuf.keys import LARGEST_PEM, PublicKey


def read_public_keys(paths: Sequence[Path]) -> list[PublicKey]:
    """Read signers' public keys or certificates, which may be given to a signer now.

    Raises:
        InvalidInput: there is no such file.
        InvalidKey: it is not one, or its certificate is out of its time; it names the file.
    """
    return [_read(path) for path in paths]


def _read(path: Path) -> PublicKey:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name a signer's public key after --key.")
    with path.open("rb") as file:
        data = file.read(LARGEST_PEM)
    try:
        key = PublicKey.from_pem(data)
        key.require_current(datetime.now(UTC))
    except InvalidKey as error:
        raise InvalidKey(f"{path}: {error.message}", next_step=error.next_step) from None
    return key
