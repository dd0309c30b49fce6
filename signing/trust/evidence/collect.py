"""Walk everything a Notary server still has of a repository (reference 3.1, 3.7, 3.9).

Nothing is verified here: an archive is evidence, and so is what does not verify; `signing.trust.evidence.history` is
the judge. Roots and timestamps are asked for by number; a timestamp promises its snapshot by hash, that one all other
files. What the numbers leave open is asked for by number too: a server may have stored a file under another hash than
it promised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from signing.trust.errors import BadResponse, InvalidName, MalformedMetadata, NoTrustData, ServerUnreachable
from signing.trust.evidence.manifest import Absent, StoredFile
from signing.trust.evidence.shelf import Shelf, describe
from signing.trust.notary.gun import Gun
from signing.trust.notary.reading import read_as, read_envelope
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Snapshot, Timestamp

MOST_VERSIONS = 1_000_000
MOST_OPEN_NUMBERS = 1000
"""How many numbers of one role are asked for that no snapshot names; clients may leave any number out."""

LARGEST_FILE = 64 * 1024 * 1024

Progress = Callable[[str, int, int], None]


class Source(Protocol):
    """Where metadata comes from: any trust server's transport."""

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a metadata file by Notary's names; None if there is none."""


class Walked(NamedTuple):
    """How a walk ended: what the server did not have, and what it gave that was not what it was asked for."""

    absent: frozenset[Absent]
    oddities: tuple[str, ...]


def walk(gun: Gun, source: Source, shelf: Shelf, progress: Progress = lambda role, done, total: None) -> Walked:
    """Put every stored version of a repository on the shelf, asking only for what is not there yet.

    Raises:
        NoTrustData: the server has nothing of it.
        ServerError: the server stopped answering; what came so far is on the shelf.
    """
    return _Walk(gun, source, shelf, progress).run()


@dataclass(slots=True)
class _Walk:
    gun: Gun
    source: Source
    shelf: Shelf
    progress: Progress
    absent: set[Absent] = field(default_factory=set)
    oddities: list[str] = field(default_factory=list)

    def run(self) -> Walked:
        before = frozenset(self.shelf.files())
        self._roots()
        self._timestamps(before)
        self._promised(roles.TIMESTAMP, roles.SNAPSHOT)
        self._promised(roles.SNAPSHOT, "files")
        self._open_numbers()
        return Walked(frozenset(self.absent), tuple(self.oddities))

    def _roots(self) -> None:
        """Take every root anew: they are few, and those of a deleted repository have the same numbers."""
        newest = self._newest(roles.ROOT)
        if newest is None:
            return
        version = self._version_of(roles.ROOT, newest)
        self._by_number(roles.ROOT, range(1, version), version)
        self.shelf.put(roles.ROOT, newest)

    def _timestamps(self, before: frozenset[StoredFile]) -> None:
        """Go upwards and put the newest last: where a run was interrupted, all below the highest is there."""
        newest = self._newest(roles.TIMESTAMP)
        if newest is None:
            return
        version = self._version_of(roles.TIMESTAMP, newest)
        known = {file for file in before if file.role == roles.TIMESTAMP and file.version <= version}
        first = self._first_unknown(known)
        self._by_number(roles.TIMESTAMP, range(first, version), version)
        self.shelf.put(roles.TIMESTAMP, newest)

    def _first_unknown(self, known: Iterable[StoredFile]) -> int:
        """Tell where to go on: at 1 again if the server's files are others, as after the repository was deleted."""
        highest = max((file.version for file in known), default=0)
        if not highest:
            return 1
        data = self._get(f"{highest}.{roles.TIMESTAMP}.json")
        return highest + 1 if data is not None and describe(roles.TIMESTAMP, data) in known else 1

    def _newest(self, role: str) -> bytes | None:
        """Give the newest file. A server that cannot renew an expired one still gives all by number: then None."""
        try:
            data = self.source.get(self.gun, f"{role}.json", LARGEST_FILE)
        except ServerUnreachable as error:
            if not self._count_up(role):
                raise error
            return None
        if data is None:
            raise NoTrustData(f"The trust server has no trust data for {self.gun}.", gun=str(self.gun))
        return data

    def _count_up(self, role: str) -> int:
        version = 0
        while version < MOST_VERSIONS and self._take_version(role, version + 1):
            version += 1
        return version

    def _version_of(self, role: str, data: bytes) -> int:
        version = describe(role, data).version
        if not 0 < version <= MOST_VERSIONS:
            raise BadResponse(f"The trust server gave a {role} of {self.gun} that has no usable version.")
        return version

    def _by_number(self, role: str, numbers: range, newest: int) -> None:
        for version in numbers:
            if not self._take_version(role, version):
                self.absent.add(Absent(role, version))
            self.progress(role, version, newest)

    def _take_version(self, role: str, version: int) -> bool:
        data = self._get(f"{version}.{role}.json")
        if data is None:
            return False
        given = describe(role, data)
        if given.version != version:
            self.oddities.append(f"Asked for {role} {version}, the server gave {given}.")
            return False
        self.shelf.put(role, data)
        return True

    def _promised(self, parent: str, what: str) -> None:
        """Take the files that those of `parent` promise by hash."""
        known = {(file.role, file.sha256) for file in self.shelf.files()}
        wanted = {
            promise: None
            for file in sorted(self.shelf.files())
            if file.role == parent
            for promise in self._promises(file)
            if promise not in known
        }
        for number, (role, sha256) in enumerate(wanted, 1):
            self._take_hash(role, sha256)
            self.progress(what, number, len(wanted))

    def _promises(self, file: StoredFile) -> Iterator[tuple[str, str]]:
        try:
            envelope = read_envelope(self.shelf.read(file))
            is_timestamp = file.role == roles.TIMESTAMP
            meta = read_as(Timestamp, envelope).meta if is_timestamp else read_as(Snapshot, envelope).meta
        except MalformedMetadata:
            return
        for role, promised in meta.items():
            if (role == roles.SNAPSHOT) != is_timestamp or role == roles.TIMESTAMP:
                continue
            try:
                yield roles.check_role_name(role), promised.sha256
            except InvalidName:
                self.oddities.append(f"{file} names a file that no repository has: {role[:80]!r}.")

    def _take_hash(self, role: str, sha256: str) -> None:
        data = self._get(f"{role}.{sha256}.json")
        if data is not None and describe(role, data).sha256 == sha256:
            self.shelf.put(role, data)
            return
        if data is not None:
            self.oddities.append(f"Asked for {role} {sha256[:12]}, the server gave {describe(role, data)}.")
        self.absent.add(Absent(role, sha256=sha256))

    def _open_numbers(self) -> None:
        """Ask for the numbers that no file has so far; many were never used, so their absence says nothing."""
        numbers: dict[str, set[int]] = {}
        for file in self.shelf.files():
            if file.role not in (roles.ROOT, roles.TIMESTAMP):
                numbers.setdefault(file.role, set()).add(file.version)
        for role, known in sorted(numbers.items()):
            for version in _first(MOST_OPEN_NUMBERS, (item for item in range(1, max(known)) if item not in known)):
                self._take_version(role, version)

    def _get(self, name: str) -> bytes | None:
        """Ask for one file; an answer that is no metadata is noted and counts as none."""
        try:
            return self.source.get(self.gun, name, LARGEST_FILE)
        except BadResponse as error:
            self.oddities.append(f"Asked for {name}: {error.message}")
            return None


def _first(most: int, numbers: Iterable[int]) -> Iterator[int]:
    return (number for _, number in zip(range(most), numbers, strict=False))
