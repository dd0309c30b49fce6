"""Gaps in version numbers, found without counting: whoever signs a file chooses its number, up to 2^53."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def missing_in(role: str, versions: Iterable[int], *, start: int = 1) -> Iterator[str]:
    """Name the numbers of a role that are missing from `start` up to its highest: `root 2`, `timestamp 4 to 9`."""
    expected = start
    for version in sorted(set(versions)):
        if version > expected:
            last = version - 1
            yield f"{role} {expected}" if last == expected else f"{role} {expected} to {last}"
        expected = max(expected, version + 1)
