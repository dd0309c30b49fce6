"""The order in which docker lists tags and signers: v2 before v10, 1.9 before 1.10."""

from __future__ import annotations

import re

_RUNS = re.compile(rb"([0-9]+)|[^0-9]+")


def natural_key(text: str) -> tuple[tuple[int, int, bytes, int], ...]:
    """Give a sort key for the natural order that docker uses (reference 5.5).

    Numbers come before other characters and compare by value, of equal ones the one with fewer leading zeros first;
    everything else compares byte by byte.
    """
    return tuple(_run_key(match) for match in _RUNS.finditer(text.encode("utf-8", "surrogatepass")))


def _run_key(match: re.Match[bytes]) -> tuple[int, int, bytes, int]:
    run = match[0]
    if match[1] is None:
        return 1, 0, run, 0
    digits = run.lstrip(b"0")
    return 0, len(digits), digits, len(run) - len(digits)
