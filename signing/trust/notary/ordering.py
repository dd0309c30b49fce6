"""The order in which docker lists tags and signers: v2 before v10, 1.9 before 1.10."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_DIGITS = "0123456789"
_LARGEST_CHARACTER = 0x10FFFF


def natural_key(text: str) -> str:
    """Give a sort key for the natural order that docker uses (reference 5.5).

    Numbers come before other characters and compare by value, of equal ones the one with fewer leading zeros first;
    everything else compares byte by byte, which for UTF-8 is character by character.
    """
    return _NUMBER.sub(_number_key, text)


def natural_keys(texts: Iterable[str]) -> list[str]:
    """Give the keys of many texts: what stands before a final number is worked out once for all that share it."""
    listed = list(texts)
    befores = [text.rstrip(_DIGITS) for text in listed]
    known = {before: natural_key(before) for before in set(befores)}
    return [
        f"{known[before]}\0{_COUNTS[len(text) - len(before)]}{text[len(before) :]}\1"  # as _key_of, without the call
        if text is not before and text[len(before)] != "0" and len(text) - len(before) < _MOST_COUNTS
        else known[before] + _key_of_end(text[len(before) :])
        for text, before in zip(listed, befores, strict=True)
    ]


def _number_key(match: re.Match[str]) -> str:
    return _key_of(match[0])


def _key_of_end(number: str) -> str:
    return _key_of(number) if number else ""


def _key_of(number: str) -> str:
    """Write a number so that comparing text compares its value: a mark below all others, its length, its digits."""
    digits = number.lstrip("0")
    return f"\0{_count(len(digits))}{digits}{_count(len(number) - len(digits))}"


def _count(number: int) -> str:
    return chr(min(number + 1, _LARGEST_CHARACTER))


_MOST_COUNTS = 64
_COUNTS = [_count(number) for number in range(_MOST_COUNTS)]
