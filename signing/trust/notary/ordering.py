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
    known: dict[str, str] = {}
    keys = []
    for text in texts:
        before = text.rstrip(_DIGITS)
        key = known.get(before)
        if key is None:
            key = known[before] = natural_key(before)
        number = text[len(before) :]
        if not number:
            keys.append(key)
        elif number[0] == "0":
            keys.append(key + _key_of(number))
        else:  # as `_key_of`, without the call: there are 10,000 of these
            keys.append(f"{key}\0{_COUNTS[len(number)] if len(number) < 64 else _count(len(number))}{number}\1")
    return keys


def _number_key(match: re.Match[str]) -> str:
    return _key_of(match[0])


def _key_of(number: str) -> str:
    """Write a number so that comparing text compares its value: a mark below all others, its length, its digits."""
    digits = number.lstrip("0")
    return f"\0{_count(len(digits))}{digits}{_count(len(number) - len(digits))}"


def _count(number: int) -> str:
    return chr(min(number + 1, _LARGEST_CHARACTER))


_COUNTS = [_count(number) for number in range(64)]
