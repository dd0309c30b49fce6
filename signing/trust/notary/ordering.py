"""The order in which docker lists tags and signers: v2 before v10, 1.9 before 1.10."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import le

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_DIGITS, _AFTER_DIGITS = "0123456789", ":"
_LARGEST_CHARACTER = 0x10FFFF
_MOST_GROUPS = 1000


def natural_key(text: str) -> str:
    """Give a sort key for the natural order that docker uses (reference 5.5).

    Numbers come before other characters and compare by value, of equal ones the one with fewer leading zeros first;
    everything else compares byte by byte, which for UTF-8 is character by character.
    """
    return _NUMBER.sub(_number_key, text)


def natural_order(texts: Sequence[str], *, ascend: bool = False) -> list[int]:
    """Give the places of texts in natural order; texts that are equal keep theirs. `ascend` if they surely do.

    Names of tags mostly differ by a final number. Where no number is written with leading zeros, and none goes on in
    another name (1.2 and 1.2-rc1), names that share all before it and its length are in order once they ascend.
    """
    groups = _groups(texts) if ascend or all(map(le, texts, islice(texts, 1, None))) else {}
    if not groups or not _stand_apart(texts, groups):
        keys = [natural_key(text) for text in texts]
        return sorted(range(len(keys)), key=keys.__getitem__)
    known = {before: natural_key(before) for before in {before for before, _ in groups}}
    ordered = sorted(groups, key=lambda group: (known[group[0]], group[1]))
    return [at for group in ordered for at in groups[group]]


def _groups(texts: Sequence[str]) -> dict[tuple[str, int], list[int]]:
    """Give the places of ascending texts by what stands before their final number and by their length."""
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    start = 0
    while start < len(texts):
        before = texts[start].rstrip(_DIGITS)
        end = bisect_left(texts, before + _AFTER_DIGITS, start + 1)
        run = texts[start:end]
        if _are_numbers_after(before, run):
            by_length: defaultdict[int, list[int]] = defaultdict(list)
            for at, length in enumerate(map(len, run), start):
                by_length[length].append(at)
            for length, places in by_length.items():
                groups[before, length] += places
        else:
            for at, text in enumerate(run, start):
                groups[text.rstrip(_DIGITS), len(text)].append(at)
        start = end
    return groups


def _are_numbers_after(before: str, texts: Sequence[str]) -> bool:
    """Tell whether all texts are `before` with nothing but digits after it, of which at least one has some."""
    together = "\n".join(("", *texts))
    beginning = f"\n{before}"
    if not together.count("\n") == together.count(beginning) == len(texts):
        return False
    numbers = together.replace(beginning, "")
    return numbers.isascii() and numbers.isdigit()


def _stand_apart(texts: Sequence[str], groups: Mapping[tuple[str, int], Sequence[int]]) -> bool:
    befores = {before for before, _ in groups}
    if len(befores) > _MOST_GROUPS:
        return False
    if any(before[: number.start()] in befores for before in befores for number in _NUMBER.finditer(before)):
        return False
    return not any(
        length > len(before) + 1 and texts[places[0]][len(before)] == "0" for (before, length), places in groups.items()
    )


def _number_key(match: re.Match[str]) -> str:
    return _key_of(match[0])


def _key_of(number: str) -> str:
    """Write a number so that comparing text compares its value: a mark below all others, its length, its digits."""
    digits = number.lstrip("0")
    return f"\0{_count(len(digits))}{digits}{_count(len(number) - len(digits))}"


def _count(number: int) -> str:
    return chr(min(number + 1, _LARGEST_CHARACTER))
