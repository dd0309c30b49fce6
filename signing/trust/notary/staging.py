"""Staged changes in notary's folder, one file for each: what `notary` stages we publish, and the other way round.

The folder is `<trust_dir>/tuf/<GUN>/changelist`, the file names are `<nanoseconds>_<uuid>.change` (reference 4.5). Note
that `docker trust sign`, `revoke` and even `inspect` empty that folder.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from pathlib import Path

from signing.trust.errors import InvalidInput, MalformedMetadata
from signing.trust.keystore.encrypted_files import write_private_file
from signing.trust.notary.changelist import Change
from signing.trust.notary.gun import Gun

LARGEST_CHANGE = 1024 * 1024
MOST_CHANGES = 100_000


class StagedChanges:
    """The changes of one GUN that wait to be published, in the order they were staged."""

    def __init__(self, trust_dir: Path, gun: str) -> None:
        """Name the folder; nothing is created yet.

        Raises:
            InvalidName: the GUN could lead out of the folder.
        """
        self._folder = trust_dir / "tuf" / Gun(gun) / "changelist"

    def read(self) -> list[Change]:
        """Read them.

        Raises:
            MalformedMetadata: one is not a change this client knows; it names the file.
        """
        return [_read(path) for path in self._paths()]

    def add(self, change: Change) -> None:
        """Stage one more; when this returns it is stored durably."""
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.change"
        write_private_file(self._folder / name, change.to_file().decode())

    def remove(self, numbers: Collection[int]) -> list[Change]:
        """Take some back, by their place in the list, counted from 0, and give them.

        Raises:
            InvalidInput: there is none of that number; then nothing is taken back.
        """
        paths = self._paths()
        if wrong := [number for number in numbers if not 0 <= number < len(paths)]:
            raise InvalidInput(
                f"There is no staged change {wrong[0]}.", next_step="List them with `trustctl status REPOSITORY`."
            )
        chosen = [paths[number] for number in sorted(set(numbers))]
        taken = [_read(path) for path in chosen]
        for path in chosen:
            path.unlink(missing_ok=True)
        return taken

    def clear(self) -> int:
        """Take all back, also those that cannot be read, and give their number."""
        paths = self._paths()
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _paths(self) -> list[Path]:
        """Give the files in notary's order, by name."""
        found = sorted(self._folder.glob("*.change")) if self._folder.is_dir() else []
        if len(found) > MOST_CHANGES:
            raise InvalidInput(f"More than {MOST_CHANGES} changes are staged.", next_step="Publish or reset them.")
        return found


def _read(path: Path) -> Change:
    if path.stat().st_size > LARGEST_CHANGE:
        raise MalformedMetadata(f"{path} is too large to be a staged change.")
    try:
        return Change.parse(path.read_bytes())
    except MalformedMetadata as error:
        raise MalformedMetadata(
            f"{path}: {error.message}",
            next_step="Remove the file, or take everything back: trustctl reset --all.",
        ) from None
