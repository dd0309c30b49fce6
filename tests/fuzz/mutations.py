"""Damage done to documents: blindly to bytes, and knowingly to JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

TOKENS = (
    b"{}", b"[]", b"null", b"true", b"0", b"-1", b"1.0", b"1e9", b"9007199254740993", b"NaN", b'""', b'"\\ud800"',
    b"\xff", b"\x00", b"\xe2\x80\xa8", b"\\u0000", b",", b":", b'"', b"\\", b"{", b"}", b"[", b"]", b" ", b"\n",
    b'"signed":', b'"signatures":[', b'"targets":{', b'"keyids":[', b'"threshold":0', b'"_type":"Root"',
    b"-----BEGIN ", b"-----END ", b"ecdsa", b"../", b"=",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    2**53,
    1.5,
    "",
    "x",
    "root",
    "\x1b[2J",
    [],
    {},
    [None],
    {"": ""},
    "=" * 44,
)
DEEPEST = 2000


def mutated(document: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Damage a document once or a few times."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        document = rng.choice(MUTATIONS)(document, others, rng)
    return document[: 1024 * 1024]


def _flip(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.expovariate(1 / 20)))


def _cut(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 50)) + data[end:]


def _insert(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at, token = rng.randrange(len(data) + 1), rng.choice(TOKENS)
    return data[:at] + token * rng.choice((1, 1, 1, DEEPEST)) + data[at:]


def _overwrite(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _splice(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    start, end = _span(other, rng)
    at = rng.randrange(len(data) + 1)
    return data[:at] + (other[start:end] if rng.random() < 0.5 else other[start:])


def _swap_pieces(data: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    pieces = data.split(b",")
    one, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    pieces[one], pieces[other] = pieces[other], pieces[one]
    return b",".join(pieces)


def _change_json(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Exchange, remove, rename or double a member anywhere; written compactly, so that the rest stays as it was."""
    try:
        value = json.loads(data, object_pairs_hook=_Members)
    except (ValueError, RecursionError):
        return _flip(data, others, rng)
    places = list(_places(value))
    if not places:
        return data
    holder, at = rng.choice(places)
    rng.choice(JSON_CHANGES)(holder, at, rng)
    return _written(value).encode("utf-8", "surrogatepass")


class _Members(list[list[Any]]):
    """An object's members in order; a name may come twice."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__([name, value] for name, value in pairs)


def _places(value: Any) -> list[tuple[list[Any], int]]:
    found: list[tuple[list[Any], int]] = []
    if isinstance(value, _Members | list):
        for at, item in enumerate(value):
            found.append((value, at))
            found += _places(item[1] if isinstance(value, _Members) else item)
    return found


def _written(value: Any) -> str:
    if isinstance(value, _Members):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(item)}" for name, item in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def _set(holder: list[Any], at: int, value: Any) -> None:
    if isinstance(holder, _Members):
        holder[at] = [holder[at][0], value]
    else:
        holder[at] = value


def _exchange(holder: list[Any], at: int, rng: random.Random) -> None:
    _set(holder, at, rng.choice(VALUES))


def _remove(holder: list[Any], at: int, _: random.Random) -> None:
    del holder[at]


def _double(holder: list[Any], at: int, rng: random.Random) -> None:
    holder.insert(rng.randrange(len(holder) + 1), list(holder[at]) if isinstance(holder, _Members) else holder[at])


def _rename(holder: list[Any], at: int, rng: random.Random) -> None:
    if isinstance(holder, _Members):
        name = holder[at][0]
        holder[at] = [
            rng.choice((name.upper(), name.capitalize(), name + " ", "", "__proto__", "\u017figned")),
            holder[at][1],
        ]


def _vary(holder: list[Any], at: int, rng: random.Random) -> None:
    """Put a second member beside one that differs by its case alone."""
    if isinstance(holder, _Members):
        name, value = holder[at]
        holder.insert(at, [rng.choice((name.upper(), name.swapcase(), name.title())), value])


JSON_CHANGES: tuple[Callable[[list[Any], int, random.Random], None], ...] = (
    _exchange,
    _remove,
    _double,
    _rename,
    _vary,
)
MUTATIONS: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip, _cut, _repeat, _insert, _overwrite, _splice, _swap_pieces, _change_json, _change_json, _change_json,
)  # fmt: skip
