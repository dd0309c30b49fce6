"""The order in which docker lists tags and signers: v2 before v10, 1.9 before 1.10."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from operator import le

_NUMBER = re.compile(r"[0-9]+", re.ASCII)
_DIGITS = "0123456789"
_LARGEST_CHARACTER = 0x10FFFF
_MOST_GROUPS = 1000


def natural_key(text: str) -> str:
    """Give a sort key for the natural order that docker uses (reference 5.5).

    Numbers come before other characters and compare by value, of equal ones the one with fewer leading zeros first;
    everything else compares byte by byte, which for UTF-8 is character by character.
    """
    return _NUMBER.sub(_number_key, text)


def natural_order(texts: Sequence[str]) -> list[int]:
    """Give the places of texts in natural order; texts that are equal keep theirs.

    Names of tags mostly differ by a final number. Where no number is written with leading zeros, and none goes on in
    another name (1.2 and 1.2-rc1), names that share all before it and its length are in order once they ascend.
    """
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    if all(map(le, texts, islice(texts, 1, None))):
        befores = [text.rstrip(_DIGITS) for text in texts]
        for at, group in enumerate(zip(befores, map(len, texts), strict=True)):
            groups[group].append(at)
    if not groups or not _stand_apart(texts, groups):
        keys = [natural_key(text) for text in texts]
        return sorted(range(len(keys)), key=keys.__getitem__)
    known = {before: natural_key(before) for before in {before for before, _ in groups}}
    ordered = sorted(groups, key=lambda group: (known[group[0]], group[1]))
    return [at for group in ordered for at in groups[group]]


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
