"""Write files that were not there before."""

from __future__ import annotations

import os
from pathlib import Path

from signing.trust.errors import InvalidInput


def place_for(folder: Path, name: str) -> Path:
    """Give the path of a new file, checked before anything is made that it can be written.

    Raises:
        InvalidInput: the folder is missing, or the file is there already.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", next_step="Make it, or name another one.")
    path = folder.absolute() / name
    if path.exists():
        raise InvalidInput(f"{path} exists already.", next_step="Choose another name or another folder.")
    return path


def write_new(path: Path, text: str) -> None:
    """Write a file for the owner alone; one that appeared meanwhile is left as it is."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
