"""Ask a server no faster than it likes: one request at a time, with pauses, and patience when it is busy."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from signing.trust.errors import ServerUnreachable
from signing.trust.evidence.collect import Source

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
DEFAULT_RATE = 20.0

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Politeness:
    """How often to ask, and how long to wait for a server that answers 429 or 5xx, or not at all."""

    requests_per_second: float = DEFAULT_RATE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0, init=False)
    _has_answered: bool = field(default=False, init=False)

    def ask(self, request: Callable[[], Answer]) -> Answer:
        """Do one request when it is its turn; again after pauses that double while the server cannot answer.

        One that never answered at all is not waited for: its address or its certificate is wrong.

        Raises:
            ServerUnreachable: it could not, five times.
        """
        for attempt in range(MOST_ATTEMPTS):
            self._wait_for_turn()
            try:
                answer = request()
            except ServerUnreachable as error:
                self._has_answered = self._has_answered or "status" in error.detail
                if attempt == MOST_ATTEMPTS - 1 or not self._has_answered:
                    raise
            else:
                self._has_answered = True
                return answer
            pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
            self.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311  keeps archivers apart, guards nothing
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait_for_turn(self) -> None:
        now = self.clock()
        if now < self._next:
            self.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.requests_per_second


@dataclass(frozen=True, slots=True)
class PoliteSource:
    """A server's metadata, asked for politely."""

    source: Source
    politeness: Politeness

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a metadata file; None if there is none."""
        return self.politeness.ask(lambda: self.source.get(gun, name, limit))
