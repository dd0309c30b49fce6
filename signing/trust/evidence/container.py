"""The file an archive is: a zip without compression that anybody can look into with `unzip`.

The same content makes the same bytes. Nothing in it is compressed, so there is nothing to blow up; `xz` or `zstd`
around the whole file also finds what one version has in common with the next. The zip's comment is the SHA-256 of all
bytes before it: one changed byte anywhere is found, even one that no file holds.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from signing.trust.errors import DamagedArchive, InvalidInput, MissingVersion
from signing.trust.evidence.manifest import Manifest, StoredFile, entry_name

MANIFEST = "manifest.json"
LARGEST_MANIFEST = 256 * 1024 * 1024
LARGEST_FILE = 64 * 1024 * 1024
_SEAL_LENGTH = 64
_PIECE = 1024 * 1024

Reader = Callable[[str, StoredFile], bytes]


class Archive:
    """An archive opened for reading. Use it in a `with` statement.

    Opening it checks the container's shape alone: hostile files are refused there. `damage` finds what is not as it was
    written; each file's bytes are checked whenever it is read.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its manifest.

        Raises:
            InvalidInput: there is no such file.
            DamagedArchive: it is not an archive, or one made to harm: other names than its manifest has, names twice,
                compressed or overlapping files.
        """
        self.path = path
        try:
            self._file: IO[bytes] = path.open("rb")
        except (FileNotFoundError, IsADirectoryError):
            raise InvalidInput(f"There is no archive {path}.", next_step="Name the file of an archive.") from None
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            with _named_damage(path):
                self._zip = zipfile.ZipFile(self._file)
                entries = self._checked_entries()
            self.manifest = Manifest.parse(self._read(MANIFEST, LARGEST_MANIFEST))
            self.missing = self._require_listed(entries)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def read(self, gun: str, file: StoredFile) -> bytes:
        """Give a file's bytes.

        Raises:
            MissingVersion: the archive lists it and does not have it.
            DamagedArchive: its bytes are not those that were archived.
        """
        name = entry_name(gun, file)
        if name in self.missing:
            raise MissingVersion(f"{file} of {gun} is missing in the archive.", gun=gun, file=str(file))
        data = self._read(name, LARGEST_FILE)
        if len(data) != file.length or not hmac.compare_digest(hashlib.sha256(data).hexdigest(), file.sha256):
            raise DamagedArchive(f"{file} of {gun} is not as it was archived.", gun=gun, file=str(file))
        return data

    def is_sealed(self) -> bool:
        """Tell whether every byte of the file is as it was written."""
        return hmac.compare_digest(_seal(self._file, self._size), self._zip.comment)

    def _checked_entries(self) -> list[str]:
        infos = self._zip.infolist()
        names = [info.filename for info in infos]
        if len(set(names)) != len(names):
            raise DamagedArchive(f"{self.path} has two files of one name.")
        if any(info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size for info in infos):
            raise DamagedArchive(f"{self.path} has compressed files, which no archive has.")
        if any(not 0 <= info.header_offset < self._size for info in infos):
            raise DamagedArchive(f"{self.path} is damaged: it places a file outside itself.")
        if sum(info.file_size for info in infos) > self._size:
            raise DamagedArchive(f"{self.path} has files that overlap.")
        if MANIFEST not in names:
            raise DamagedArchive(f"{self.path} is not an archive: it has no {MANIFEST}.")
        return names

    def _require_listed(self, names: list[str]) -> frozenset[str]:
        listed = self.manifest.entries().keys()
        for name in names:
            if name != MANIFEST and name not in listed:
                raise DamagedArchive(f"{self.path} has a file that its manifest does not list: {name[:200]!r}.")
        return frozenset(listed - set(names))

    def _read(self, name: str, limit: int) -> bytes:
        with _named_damage(self.path, name):
            if self._zip.getinfo(name).file_size > limit:
                raise DamagedArchive(f"{name[:300]!r} in {self.path} is larger than any such file.")
            return self._zip.read(name)


def write(path: Path, manifest: Manifest, read: Reader) -> None:
    """Write an archive by replacing `path` at once: a crash leaves the old one or the new one.

    `read` gives the bytes of each file the manifest lists.
    """
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            _write_entries(file, manifest, read)
            size = file.seek(0, os.SEEK_END)
            seal = _seal(file, size)
            file.seek(size - _SEAL_LENGTH)
            file.write(seal)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)  # public data, all of it
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _write_entries(file: IO[bytes], manifest: Manifest, read: Reader) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as made:
        made.comment = bytes(_SEAL_LENGTH)
        made.writestr(_info(MANIFEST), manifest.to_bytes())
        for gun, record in sorted(manifest.repositories.items()):
            for stored in sorted(record.files):
                made.writestr(_info(entry_name(gun, stored)), read(gun, stored))


def _info(name: str) -> zipfile.ZipInfo:
    """Describe an entry by its name alone: no clock, no owner, no operating system."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    info.create_system = 3
    return info


def _seal(file: IO[bytes], size: int) -> bytes:
    """Hash all bytes before the seal, as hex that fits a zip's comment."""
    digest = hashlib.sha256()
    for piece in _pieces(file, max(size - _SEAL_LENGTH, 0)):
        digest.update(piece)
    return digest.hexdigest().encode()


def _pieces(file: IO[bytes], left: int) -> Iterator[bytes]:
    file.seek(0)
    while left > 0 and (piece := file.read(min(left, _PIECE))):
        left -= len(piece)
        yield piece


@contextmanager
def _named_damage(path: Path, name: str = "") -> Iterator[None]:
    """Turn whatever the library says of a broken zip into one named error."""
    what = f"{name[:300]!r} in {path}" if name else str(path)
    try:
        yield
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError, OverflowError, struct.error, UnicodeError):
        raise DamagedArchive(f"{what} is damaged, or not an archive.") from None
    except (NotImplementedError, RuntimeError):
        raise DamagedArchive(f"{what} is encrypted or packed in a way no archive is.") from None
