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


class Row(Protocol):
    """Files that come one after the other."""

    def next(self) -> tuple[str, bytes | None] | None:
        """Give the next file by its name, without bytes if it did not come well; None after the last."""

    def close(self) -> None:
        """Give up the others."""


@runtime_checkable
class Together(Protocol):
    """A source that can be asked for several files at once."""

    def get_together(self, gun: str, wanted: Sequence[tuple[str, int]]) -> Row | None:
        """Ask for them; names and limits as for `get`."""


class Ahead:
    """A source for one refresh; what was asked for early is read in its turn."""

    def __init__(self, source: Source, largest: int) -> None:
        """Name the source, and how many bytes may come early in all."""
        self._source = source
        self._together = source if isinstance(source, Together) else None
        self._room = largest
        self._came: dict[str, bytes] = {}
        self._coming: Row | None = None
        self._names: set[str] = set()

    def expect(self, gun: str, wanted: Iterable[tuple[str, int]]) -> None:
        """Ask for files that will be needed, each with its limit, as far as the source can do that at once."""
        self._read_until(None)
        if self._together is None or self._room <= 0:
            return
        chosen = [(name, min(limit, self._room)) for name, limit in wanted][:MOST_AT_ONCE]
        if chosen:
            self._coming = self._together.get_together(gun, chosen)
            self._names = {name for name, _ in chosen}

    def early(self, name: str) -> bytes | None:
        """Give a file if it was asked for early and comes."""
        if name in self._names and name not in self._came:
            self._read_until(name)
        return self._came.get(name)

    def came(self, name: str) -> bytes | None:
        """Give the same, which serves once."""
        early = self.early(name)
        self._came.pop(name, None)
        return early

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a file that came early, else ask for it now."""
        early = self.came(name)
        if early is not None:
            return early
        self._read_until(None)
        return self._source.get(gun, name, limit)

    def close(self) -> None:
        """Give up what nobody needed."""
        if self._coming is not None:
            self._coming.close()

    def _read_until(self, name: str | None) -> None:
        """Read what comes, to the end or until a file of that name."""
        while self._coming is not None:
            file = self._coming.next()
            if file is None:
                self._coming = None
                self._names = set()
            elif file[1] is not None:
                self._came[file[0]] = file[1]
                self._room -= len(file[1])
            if file is not None and file[0] == name:
                return
