"""Files asked for before their turn, so that a refresh takes few round trips.

Nothing is decided here: a file that came early is checked as one that came in its turn, and one that did not come early
is asked for again in its turn, which names what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

MOST_AT_ONCE = 16
"""Files in one round trip; more save little, and a server may stop reading."""


class Source(Protocol):
    """Where metadata files come from."""

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a metadata file, as `signing.trust.notary.transport.Transport` does."""


@runtime_checkable
class Together(Protocol):
    """A source that can bring several files by one round trip."""

    def get_together(self, gun: str, wanted: Sequence[tuple[str, int]]) -> dict[str, bytes]:
        """Give those that came; names and limits as for `get`."""


class Ahead:
    """A source for one refresh, which keeps what came early until its turn."""

    def __init__(self, source: Source, largest: int) -> None:
        """Name the source, and how many bytes may come early in all."""
        self._source = source
        self._room = largest
        self._came: dict[str, bytes] = {}

    def expect(self, gun: str, wanted: Iterable[tuple[str, int]]) -> None:
        """Ask for files that will be needed, each with its limit, as far as the source can do that at once."""
        if not isinstance(self._source, Together):
            return
        chosen = [(name, min(limit, self._room)) for name, limit in wanted][:MOST_AT_ONCE]
        if len(chosen) < 2 or self._room <= 0:
            return
        for name, data in self._source.get_together(gun, chosen).items():
            self._room -= len(data)
            self._came[name] = data

    def came(self, name: str) -> bytes | None:
        """Give a file if it came early."""
        return self._came.pop(name, None)

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a file that came early, else ask for it now; what came early serves once."""
        early = self.came(name)
        return self._source.get(gun, name, limit) if early is None else early
