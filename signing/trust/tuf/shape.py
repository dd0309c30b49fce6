"""Check the shape of parsed JSON, value by value, with errors that name what is wrong (reference 2.3)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from signing.trust.errors import MalformedMetadata


def members(value: Any, what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an object that has the required members.

    Other members are passed over, but not one that differs from a known member by its case alone: Go reads that too.

    Raises:
        MalformedMetadata: otherwise.
    """
    found = mapping(value, what)
    if all(map(found.__contains__, required)) and all(map((*required, *optional).__contains__, found)):
        return found
    known = {name.casefold() for name in (*required, *optional)}
    for name in found.keys() - set(required) - set(optional):
        if name.casefold() in known:
            raise MalformedMetadata(f"{_begin(what)} has a member {name[:40]!r} that differs only by its case.")
    missing = [name for name in required if name not in found]
    if missing:
        raise MalformedMetadata(f"{_begin(what)} lacks {', '.join(missing)}.")
    return found


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return an object. Raises: MalformedMetadata."""
    if not isinstance(value, dict):
        raise MalformedMetadata(f"{_begin(what)} is not an object.")
    return value


def mapping_or_null(value: Any, what: str) -> dict[str, Any]:
    """Return an object; Go writes `null` for one that was never filled. Raises: MalformedMetadata."""
    return {} if value is None else mapping(value, what)


def list_or_null(value: Any, what: str) -> list[Any]:
    """Return a list; Go writes `null` for an empty one. Raises: MalformedMetadata."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise MalformedMetadata(f"{_begin(what)} is not a list.")
    return value


def text(value: Any, what: str) -> str:
    """Return text. Raises: MalformedMetadata."""
    if not isinstance(value, str):
        raise MalformedMetadata(f"{_begin(what)} is not text.")
    return value


def integer(value: Any, what: str, smallest: int) -> int:
    """Return an integer of at least `smallest`; true and false are none. Raises: MalformedMetadata."""
    if type(value) is not int or value < smallest:
        raise MalformedMetadata(f"{_begin(what)} has to be {smallest} or more.")
    return value


def binary(value: Any, what: str) -> bytes:
    """Return what base64 text stands for. Raises: MalformedMetadata."""
    try:
        return base64.b64decode(text(value, what), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMetadata(f"{_begin(what)} is not base64.") from None


def _begin(what: str) -> str:
    return what[:1].upper() + what[1:]
