"""Just enough DER for Notary's key files, which no library writes and few read (reference 1.2)."""

from __future__ import annotations

from collections.abc import Iterator

INTEGER, OCTETS, OID, SEQUENCE = 0x02, 0x04, 0x06, 0x30


def item(tag: int, *content: bytes) -> bytes:
    """Encode one value around its encoded content."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(size))) + size + body


def integer(value: int) -> bytes:
    """Encode an integer of 0 or more."""
    return item(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Read the values that follow each other in `data` as pairs of tag and content.

    Raises:
        ValueError: the lengths do not fit.
    """
    position = 0
    while position < len(data):
        tag, content, position = first(data, position)
        yield tag, content


def first(data: bytes, position: int = 0) -> tuple[int, bytes, int]:
    """Read one value; bytes after it are left alone. Gives tag, content and the position behind it.

    Raises:
        ValueError: the length does not fit.
    """
    if position + 2 > len(data):
        raise ValueError("DER ends early")
    tag, size = data[position], data[position + 1]
    start = position + 2
    if size & 0x80:
        octets = size & 0x7F
        size = int.from_bytes(data[start : start + octets])
        start += octets
    if start + size > len(data):
        raise ValueError("DER ends early")
    return tag, data[start : start + size], start + size


def children(data: bytes, *tags: int) -> list[bytes]:
    """Read a SEQUENCE that begins with values of exactly these tags; gives their contents.

    Raises:
        ValueError: it does not.
    """
    tag, content, _ = first(data)
    found = list(items(content))
    if tag != SEQUENCE or [tag for tag, _ in found[: len(tags)]] != list(tags):
        raise ValueError("this DER has another structure")
    return [content for _, content in found]
