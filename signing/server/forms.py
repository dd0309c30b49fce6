"""How versions lie in the database: complete ones now and then, and what differs from those in between.

Each delta stands on a complete version, never on another delta, so any version takes one query to read. How many deltas
one complete version carries follows from their sizes: it gets the next one when they would take more room than that.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from signing.server import delta
from signing.server.models import MetadataFile

Form = MetadataFile.Form

_UNAVOIDABLE = 256
"""What a delta takes that changes a version, a time, a hash and a signature, and does not grow with the distance."""


class DamagedFile(Exception):
    """What is stored is not what was stored."""


@dataclass(frozen=True, slots=True)
class Base:
    """A complete version that deltas may stand on; `size` is the room it takes."""

    version: int
    data: bytes
    size: int


class Written(NamedTuple):
    """A file in the form in which it is stored."""

    form: MetadataFile.Form
    base_version: int | None
    data: bytes


def write(data: bytes, version: int, base: Base | None) -> Written:
    """Give the smallest form that is good for a file."""
    if base is not None:
        different = delta.encode(data, base.data)
        distance = max(1, version - base.version)
        if len(different) < base.size and (len(different) - _UNAVOIDABLE) * distance <= 2 * base.size:
            return Written(Form.DELTA, base.version, different)
    packed = zlib.compress(data, 1)
    return Written(Form.PACKED, None, packed) if len(packed) < len(data) else Written(Form.PLAIN, None, data)


def read(form: int, data: bytes, base: bytes | None, sha256: str) -> bytes:
    """Give a file's own bytes; `base` are those of the version it stands on.

    Raises:
        DamagedFile: they do not have the hash that was noted when they came in.
    """
    try:
        found = _unpacked(form, data, base)
    except (zlib.error, delta.DamagedDelta) as error:
        raise DamagedFile(str(error)) from None
    if hashlib.sha256(found).hexdigest() != sha256:
        raise DamagedFile("its hash is not the one that was noted")
    return found


def _unpacked(form: int, data: bytes, base: bytes | None) -> bytes:
    if form == Form.PLAIN:
        return data
    if form == Form.PACKED:
        return zlib.decompress(data)
    if base is None:
        raise DamagedFile("the version it stands on is gone")
    return delta.decode(data, base)
