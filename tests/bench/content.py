"""What is signed in measurements."""

from __future__ import annotations

import hashlib

MANIFEST_BYTES = 528


def tags(count: int, first: int = 0) -> dict[str, tuple[str, int]]:
    """Give so many tags with their digests and sizes."""
    numbers = range(first, first + count)
    return {f"1.{number}": (hashlib.sha256(f"{number}".encode()).hexdigest(), MANIFEST_BYTES) for number in numbers}
