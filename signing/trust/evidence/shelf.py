"""Files of one repository on their way into an archive, kept so that an interrupted run loses none of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from signing.trust.errors import InvalidName, MalformedMetadata
from signing.trust.evidence.container import Archive
from signing.trust.evidence.manifest import SEPARATOR, StoredFile, entry_name
from signing.trust.notary.gun import Gun
from signing.trust.notary.reading import read_envelope
from signing.trust.tuf import roles


class Shelf(Protocol):
    """Where the files of one repository are put."""

    def files(self) -> Iterable[StoredFile]:
        """List what is here."""

    def read(self, file: StoredFile) -> bytes:
        """Give one file."""

    def put(self, role: str, data: bytes) -> StoredFile:
        """Keep one file, whatever it says."""


def describe(role: str, data: bytes) -> StoredFile:
    """Name a file by what it is; one that says no version gets 0."""
    return StoredFile(roles.check_role_name(role), version_of(data), hashlib.sha256(data).hexdigest(), len(data))


def version_of(data: bytes) -> int:
    """Tell which version a file says it is, 0 if it says none."""
    try:
        version = read_envelope(data).signed.get("version")
    except MalformedMetadata:
        return 0
    return version if type(version) is int and version > 0 else 0


class FolderShelf:
    """A folder laid out as the archive will be, over what an earlier archive has."""

    def __init__(self, folder: Path, gun: Gun, earlier: Archive | None = None) -> None:
        self._folder = folder
        self._gun = gun
        self._earlier = earlier
        record = earlier.manifest.repositories.get(gun) if earlier else None
        self._archived = record.files if record else frozenset()
        self._here = set(self._found())

    def files(self) -> frozenset[StoredFile]:
        """List what is in the folder and in the earlier archive."""
        return self._archived | self._here

    def read(self, file: StoredFile) -> bytes:
        """Give one file."""
        if file in self._here or self._earlier is None:
            return self._path(file).read_bytes()
        return self._earlier.read(self._gun, file)

    def put(self, role: str, data: bytes) -> StoredFile:
        """Write one file; a crash leaves it whole or not at all."""
        file = describe(role, data)
        if file not in self._archived and file not in self._here:
            path = self._path(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_bytes(data)
            draft.replace(path)
            self._here.add(file)
        return file

    def _path(self, file: StoredFile) -> Path:
        return self._folder / entry_name(self._gun, file)

    def _found(self) -> Iterable[StoredFile]:
        """Read the folder of an interrupted run; a file that is not what its name says is left out."""
        top = self._folder / self._gun / SEPARATOR
        for path in sorted(top.rglob("*.json")):
            try:
                file = describe(str(path.parent.relative_to(top)), path.read_bytes())
            except InvalidName:
                continue
            if path == self._path(file):
                yield file
