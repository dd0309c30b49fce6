"""docker's natural order."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signing.trust.notary.ordering import natural_key, natural_order

SORTED = [
    ["v2", "v10"],
    ["1.9", "1.10"],
    ["1", "2", "10"],
    ["a1", "a01", "a001", "a2"],
    ["1a", "01a", "2"],
    ["", "0", "a"],
    ["1", "a"],
    ["ab", "abc"],
    ["a1", "ab"],
    ["a", "a0", "a00", "a1"],
    ["A", "a"],
    ["latest", "v1.0.0", "v1.0.0-rc1", "v1.2.0", "v1.10.0"],
    ["x", "ä"],
    ["9", "99999999999999999999", "100000000000000000000"],
]


@pytest.mark.parametrize("names", SORTED, ids=str)
def test_the_natural_order(names: list[str]) -> None:
    shuffled = names[:]
    random.Random(7).shuffle(shuffled)
    assert sorted(shuffled, key=natural_key) == names


def less(left: str, right: str) -> bool:
    """docker's comparison as its documentation tells it: one character or one number at a time."""
    a, b = left.encode(), right.encode()
    i = j = 0
    while i < len(a) and j < len(b):
        digit_a, digit_b = a[i : i + 1].isdigit(), b[j : j + 1].isdigit()
        if digit_a != digit_b:
            return digit_a
        if not digit_a:
            if a[i] != b[j]:
                return a[i] < b[j]
            i, j = i + 1, j + 1
            continue
        end_a, end_b = i, j
        while a[end_a : end_a + 1].isdigit():
            end_a += 1
        while b[end_b : end_b + 1].isdigit():
            end_b += 1
        number_a, number_b = int(a[i:end_a]), int(b[j:end_b])
        if number_a != number_b:
            return number_a < number_b
        if end_a - i != end_b - j:
            return end_a - i < end_b - j
        i, j = end_a, end_b
    return len(a) < len(b)


TAGS = st.text(alphabet="0019aAb.-_ä", max_size=8)


@given(TAGS, TAGS)
def test_the_key_orders_as_the_comparison(left: str, right: str) -> None:
    assert (natural_key(left) < natural_key(right)) == less(left, right)


@given(st.lists(TAGS), st.booleans())
@example(["1" * 100, "1" * 63, "x" + "9" * 64], True)
@example(["1.2", "1.2-rc1", "1.10"], True)
@example(["a01", "a1", "a2"], True)
@example(["v1", "v10", "v2", "w", "w1"], True)
def test_the_order_of_many_is_that_of_their_keys(names: list[str], ascends: bool) -> None:
    listed = sorted(names) if ascends else names
    assert [listed[at] for at in natural_order(listed)] == sorted(listed, key=natural_key)


@pytest.mark.parametrize("sample", ["1.{}", "v{}", "build-{}", "1.{}-rc1", "{:05}", "2026.11.{}", "{}.{}"])
def test_the_order_of_very_many(sample: str) -> None:
    names = sorted(sample.format(number, number % 7) for number in range(3000))
    assert [names[at] for at in natural_order(names)] == sorted(names, key=natural_key)
