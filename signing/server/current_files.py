"""The newest files of the GUNs in use, kept in memory between requests.

Nothing here is believed on its own: a set of files belongs to one state of its GUN, and whoever uses it compares that
with the state in the database first. So every process serves what any of them has published as soon as it has.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from signing.server.forms import Base
from signing.trust.notary.known_files import KnownFile

LARGEST_MEMORY = 128 * 1024 * 1024
_OVERHEAD = 2048
"""About what the objects around a small file take."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it goes out; `base` is what the next version may be written as a delta from."""

    role: str
    version: int
    sha256: str
    data: bytes
    created_at: datetime
    renew_at: datetime | None = None
    base: Base | None = None
    known: KnownFile | None = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> int:
        """About how much memory it takes."""
        base = len(self.base.data) if self.base and self.base.data is not self.data else 0
        return len(self.data) + base + _OVERHEAD


@dataclass(frozen=True, slots=True)
class CurrentSet:
    """Files of one GUN that are the newest in one state of it; not always all of them."""

    state: int
    files: Mapping[str, StoredFile]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files.values())


class Memory:
    """The sets used last, as many as fit."""

    def __init__(self, limit: int = LARGEST_MEMORY) -> None:
        self._limit = limit
        self._sets: OrderedDict[str, CurrentSet] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, gun: str) -> CurrentSet | None:
        """Give what is remembered of a GUN, right or out of date."""
        found = self._sets.get(gun)
        if found is not None:
            with self._lock:
                if gun in self._sets:
                    self._sets.move_to_end(gun)
        return found

    def add(self, gun: str, state: int, file: StoredFile) -> None:
        """Remember a file of a GUN in this state; those of another state are forgotten."""
        found = self._sets.get(gun)
        others = found.files if found is not None and found.state == state else {}
        self.put(gun, CurrentSet(state, {**others, file.role: file}))

    def put(self, gun: str, current: CurrentSet) -> None:
        """Remember a set in place of any before; the ones used longest ago make room."""
        with self._lock:
            self._drop(gun)
            self._sets[gun] = current
            self._size += current.size
            while self._size > self._limit:
                self._drop(next(iter(self._sets)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._sets.clear()
            self._size = 0

    def _drop(self, gun: str) -> None:
        dropped = self._sets.pop(gun, None)
        if dropped is not None:
            self._size -= dropped.size


memory = Memory()
