"""Write a file as its difference from an earlier version.

Signing one more tag changes a few places of a file that may have a megabyte: the new entry, the version, the time, the
signature. A delta says which stretches of the earlier version to copy and what stands between them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

LARGEST = 256 * 1024 * 1024
"""No file is larger; what a damaged delta could make of itself ends here."""

_SEPARATOR = b"},"
_SHORTEST_COPY = 12
_SHORTEST_LANDMARK = 24
_NEARBY = 16 * 1024
_PASSED_NEARBY = 40
_HINT = 2048


class DamagedDelta(Exception):
    """This is no delta from this base."""


def encode(data: bytes, base: bytes) -> bytes:
    """Give what `decode` makes `data` of, with the same base."""
    written = bytearray()
    literal_from = 0
    for start, offset, length in _copies(data, base):
        _write_number(written, start - literal_from)
        written += data[literal_from:start]
        _write_number(written, offset)
        _write_number(written, length)
        literal_from = start + length
    _write_number(written, len(data) - literal_from)
    written += data[literal_from:]
    packer = zlib.compressobj(9, zdict=_hint(base))
    return packer.compress(bytes(written)) + packer.flush()


def decode(delta: bytes, base: bytes) -> bytes:
    """Give the file that a delta stands for. That it is the right one shows in its hash alone.

    Raises:
        DamagedDelta: it cannot be one of this base.
    """
    unpacker = zlib.decompressobj(zdict=_hint(base))
    try:
        written = unpacker.decompress(delta, LARGEST)
    except zlib.error as error:
        raise DamagedDelta(str(error)) from None
    if not unpacker.eof:
        raise DamagedDelta("it ends too early or is too large")
    pieces, position, size = [], 0, 0
    while True:
        count, position = _read_number(written, position)
        pieces.append(written[position : position + count])
        position += count
        if position >= len(written):
            break
        offset, position = _read_number(written, position)
        length, position = _read_number(written, position)
        pieces.append(base[offset : offset + length])
        size += count + length
        if size > LARGEST:
            raise DamagedDelta("it is too large")
    return b"".join(pieces)


def _copies(data: bytes, base: bytes) -> Iterator[tuple[int, int, int]]:
    """Find stretches of `data` that stand in `base`: where they start, where they stand there, how long they are.

    After each difference the search goes on with the next entry of the file, which mostly is somewhere in the base.
    """
    landmarks = _Landmarks(base)
    position, offset = 0, 0
    while position < len(data):
        length = _common(data, position, base, offset)
        if length >= _SHORTEST_COPY:
            yield position, offset, length
            position, offset = position + length, offset + length
        position, offset = _next_entry(data, position, landmarks, offset)


def _next_entry(data: bytes, position: int, landmarks: _Landmarks, near: int) -> tuple[int, int]:
    """Find the next entry that the base has too; the end of the file if there is none.

    Short entries are passed over: `"length":528` stands everywhere.
    """
    passed = 0
    while (found := data.find(_SEPARATOR, position)) >= 0:
        position = found + len(_SEPARATOR)
        end = data.find(_SEPARATOR, position)
        entry = data[position : end if end >= 0 else len(data)]
        if len(entry) < _SHORTEST_LANDMARK:
            continue
        offset = landmarks.near(entry, near) if passed < _PASSED_NEARBY else landmarks.anywhere(entry)
        if offset >= 0:
            return position, offset
        passed += 1
    return len(data), 0


class _Landmarks:
    """Where the entries of a base stand. Few tags are new at a time, so mostly a look at what comes next finds one."""

    def __init__(self, base: bytes) -> None:
        self._base = base

    def near(self, entry: bytes, offset: int) -> int:
        """Give a place soon after `offset`, or -1."""
        return self._base.find(entry, offset, offset + _NEARBY)

    def anywhere(self, entry: bytes) -> int:
        """Give any place, or -1."""
        return self._places.get(entry, -1)

    @cached_property
    def _places(self) -> dict[bytes, int]:
        entries = self._base.split(_SEPARATOR)
        starts = accumulate((len(entry) + len(_SEPARATOR) for entry in entries), initial=0)
        return dict(zip(entries, starts, strict=False))


def _common(data: bytes, position: int, base: bytes, offset: int) -> int:
    """Tell how long the two are the same from here."""
    most = min(len(data) - position, len(base) - offset)
    same, step = 0, 64
    while same < most:  # in growing strides while they match, in halved ones to find the end
        stride = min(step, most - same)
        start, there = position + same, offset + same
        if data[start : start + stride] == base[there : there + stride]:
            same, step = same + stride, step * 2
        elif stride == 1:
            break
        else:
            most, step = same + stride - 1, max(1, stride // 2)
    return same


def _hint(base: bytes) -> bytes:
    """Give deltas the words of the format to refer to."""
    return base[-_HINT:]


def _write_number(written: bytearray, number: int) -> None:
    while number > 0x7F:
        written.append(0x80 | number & 0x7F)
        number >>= 7
    written.append(number)


def _read_number(written: bytes, position: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        if position >= len(written) or shift > 28:
            raise DamagedDelta("it is cut off")
        byte = written[position]
        number |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return number, position
