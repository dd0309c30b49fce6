"""A repository with a past, and an archive of all of it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from signing.trust.evidence import container
from signing.trust.evidence.collect import Walked, walk
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History, judge
from signing.trust.evidence.manifest import Manifest, Record, StoredFile
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.shelf import FolderShelf
from signing.trust.notary.gun import Gun
from tests.simulator import GUN, Clock, Owner, Simulator

SERVER = "https://notary.example"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Keeper:
    """Somebody who archives the simulated server's repository, run after run."""

    folder: Path
    simulator: Simulator
    clock: Clock

    @property
    def path(self) -> Path:
        return self.folder / "trust.archive"

    def take(self) -> Walked:
        """Walk what is new since the last time and write the archive."""
        with contextlib.ExitStack() as stack:
            earlier = stack.enter_context(Archive(self.path)) if self.path.exists() else None
            shelf = FolderShelf(self.folder / "parts", Gun(GUN), earlier)
            walked = walk(Gun(GUN), self.simulator, shelf)
            record = Record(shelf.files(), walked.absent, (), SERVER, self.clock())
            self.write(record, lambda _, file: shelf.read(file))
        return walked

    def write(self, record: Record, read: Callable[[str, StoredFile], bytes]) -> None:
        container.write(self.path, Manifest({Gun(GUN): record}), read)

    def judge(self, *key_ids: str) -> History:
        with Archive(self.path) as archive:
            record = archive.manifest.repositories[Gun(GUN)]
            return judge(Gun(GUN), record, lambda file: archive.read(GUN, file), RootPins.of(key_ids))

    def rewrite(self, change: Callable[[StoredFile, bytes], bytes | None]) -> None:
        """Do what a forger can: change or drop files, and make the manifest and the seal fit again."""
        with Archive(self.path) as archive:
            record = archive.manifest.repositories[Gun(GUN)]
            kept: dict[StoredFile, bytes] = {}
            for file in sorted(record.files):
                data = change(file, archive.read(GUN, file))
                if data is not None:
                    sha256 = hashlib.sha256(data).hexdigest()
                    kept[file._replace(sha256=sha256, length=len(data))] = data
        self.write(replace(record, files=frozenset(kept)), lambda _, file: kept[file])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def owner(simulator: Simulator, clock: Clock) -> Owner:
    return Owner(simulator, clock).initialise()


@pytest.fixture
def keeper(tmp_path: Path, simulator: Simulator, clock: Clock) -> Keeper:
    return Keeper(tmp_path, simulator, clock)
