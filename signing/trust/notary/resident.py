"""What this process verified last: the same root and timestamp lead to the same files, so these are not read again.

A timestamp names one snapshot by its hash, and that names every other file. What may change without them is the time,
and what the client remembers on its disk; both are for the caller to look at.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple

from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles

LARGEST_KEPT = 4 * 1024 * 1024
MOST_KEPT = 16 * 1024 * 1024
"""Bytes of metadata, for one repository and for all; what was read from them takes about three times as much."""


class _Kept(NamedTuple):
    trusted: TrustedRepository
    since: datetime
    until: datetime
    size: int


class Resident:
    """Verified repositories by GUN, the ones used last; threads may share it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def find(self, gun: str, root: bytes, timestamp: bytes, at: datetime) -> TrustedRepository | None:
        """Give the repository these two files lead to, if it was verified and nothing expired since."""
        with self._lock:
            kept = self._kept.get(gun)
            if kept is None or not kept.since <= at <= kept.until:
                return None
            self._kept.move_to_end(gun)
        envelopes = kept.trusted.envelopes
        if envelopes[roles.TIMESTAMP].raw != timestamp or envelopes[roles.ROOT].raw != root:
            return None
        return kept.trusted

    def keep(self, trusted: TrustedRepository, at: datetime) -> None:
        """Remember a repository that was verified at that time, in place of its earlier state."""
        size = sum(len(envelope.raw) for envelope in trusted.envelopes.values())
        size += sum(map(len, trusted.left_out_files.values()))
        with self._lock:
            self._drop(trusted.gun)
            if size <= LARGEST_KEPT:
                self._kept[trusted.gun] = _Kept(
                    trusted, at, min(file.expires for file in trusted.files().values()), size
                )
                self._size += size
            while self._size > MOST_KEPT:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _drop(self, gun: str) -> None:
        kept = self._kept.pop(gun, None)
        if kept is not None:
            self._size -= kept.size
