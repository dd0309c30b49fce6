"""How long a piece of work may take in all, whatever the other side does."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 30.0
"""Seconds one request may take, and all requests of one refresh together."""

_end: contextvars.ContextVar[float] = contextvars.ContextVar("end")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let everything inside take so many seconds together; an outer limit that ends earlier stays."""
    end = time.monotonic() + seconds
    token = _end.set(min(end, _end.get(end)))
    try:
        yield
    finally:
        _end.reset(token)


def left(seconds: float = LONGEST) -> float:
    """Give the seconds that are left, at most `seconds`.

    Raises:
        TimeoutError: none are.
    """
    rest = _end.get(time.monotonic() + seconds) - time.monotonic()
    if rest <= 0:
        raise TimeoutError("the time is over")
    return min(rest, seconds)
