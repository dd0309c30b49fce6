"""Where verified metadata is remembered: it is what later answers are measured by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from signing.trust.errors import InvalidName
from signing.trust.notary.gun import Gun
from signing.trust.tuf import roles

LARGEST_FILE = 64 * 1024 * 1024
MOST_AT_ONCE = 8


class TrustCache(Protocol):
    """The remembered files of one GUN, as the exact bytes the server gave."""

    def load(self, role: str) -> bytes | None:
        """Give the remembered file of `role`, None where there is none."""

    def store(self, role: str, data: bytes) -> None:
        """Remember a verified file."""

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Remember verified files by role; it may be that only some are when this fails."""

    def clear(self) -> None:
        """Forget this GUN; the next root is trusted on first use again."""


class MemoryCache:
    """A cache that ends with the process."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = dict(files or {})

    def load(self, role: str) -> bytes | None:
        """Give the remembered file."""
        return self._files.get(role)

    def store(self, role: str, data: bytes) -> None:
        """Remember a file."""
        self._files[role] = data

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Remember files."""
        self._files.update(files)

    def clear(self) -> None:
        """Forget everything."""
        self._files.clear()


class LateCache:
    """Another cache during one piece of work: each file is read from it once, and written to it once, by `write`."""

    def __init__(self, cache: TrustCache) -> None:
        self._cache = cache
        self._loaded: dict[str, bytes | None] = {}
        self._stored: dict[str, bytes] = {}

    def load(self, role: str) -> bytes | None:
        """Give the remembered file."""
        if role in self._stored:
            return self._stored[role]
        if role not in self._loaded:
            self._loaded[role] = self._cache.load(role)
        return self._loaded[role]

    def store(self, role: str, data: bytes) -> None:
        """Remember a file, until `write` here alone."""
        self._stored[role] = data

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Remember files, until `write` here alone."""
        self._stored.update(files)

    def clear(self) -> None:
        """Forget everything, there too."""
        self._cache.clear()
        self._loaded.clear()
        self._stored.clear()

    def write(self) -> None:
        """Store what is new."""
        self._cache.store_all({role: data for role, data in self._stored.items() if self._loaded.get(role) != data})


class FileCache:
    """Docker's folder `<trust_dir>/tuf/<GUN>/metadata`, shared with `docker trust` and `notary` (reference 4.1)."""

    def __init__(self, trust_dir: Path, gun: str) -> None:
        """Name the folder of one GUN; nothing is created yet.

        Raises:
            InvalidName: the GUN could lead out of the folder, or into that of another GUN's delegations.
        """
        if "/metadata/targets" in gun:
            raise InvalidName(f"{gun[:300]!r} cannot be told from another repository's files in docker's folder.")
        self._folder = trust_dir / "tuf" / Gun(gun) / "metadata"

    def load(self, role: str) -> bytes | None:
        """Give the remembered file; one too large to be metadata counts as none."""
        try:
            with self._path(role).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size  # room for the largest file would take longer than reading
                return file.read(size) if size <= LARGEST_FILE else None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def store(self, role: str, data: bytes) -> None:
        """Put a file in place at once: a crash leaves the old one or the new one, never half of it."""
        self.store_all({role: data})

    def store_all(self, files: Mapping[str, bytes]) -> None:
        """Put files in place, each at once; the disk writes several together, which takes little longer than one."""
        waiting = list(files.items())
        for start in range(0, len(waiting), MOST_AT_ONCE):
            drafts: list[_Draft] = []
            try:
                for role, data in waiting[start : start + MOST_AT_ONCE]:
                    drafts.append(_Draft.write(self._path(role), data))
                for draft in drafts:
                    os.fsync(draft.descriptor)
                for draft in drafts:
                    draft.put()
            finally:
                for draft in drafts:
                    draft.discard()

    def clear(self) -> None:
        """Delete the metadata of this GUN; its staged changes stay, and so does what GUNs below its name have."""
        import shutil  # it loads compression of several kinds

        for role in roles.BASE_ROLES:
            self._path(role).unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder / "targets")

    def _path(self, role: str) -> Path:
        return self._folder / f"{roles.check_role_name(role)}.json"


@dataclass(slots=True)
class _Draft:
    """A file that is written and not yet in its place."""

    place: Path
    path: str
    descriptor: int
    is_in_place: bool = False

    @classmethod
    def write(cls, place: Path, data: bytes) -> _Draft:
        _make_private(place.parent)
        path = f"{place.parent}/.{os.urandom(8).hex()}.part"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        draft = cls(place, path, descriptor)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(data)
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # the disk begins at once
        except BaseException:
            draft.discard()
            raise
        return draft

    def put(self) -> None:
        """Put it in its place, once the disk has it."""
        os.replace(self.path, self.place)
        self.is_in_place = True

    def discard(self) -> None:
        """Let go of it, and delete it where it did not get to its place."""
        os.close(self.descriptor)
        if not self.is_in_place:
            os.unlink(self.path)


def _make_private(folder: Path) -> None:
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
