"""Docker's `private/` folder: one encrypted file for each key, shared with `docker trust` and `notary`.

Reference 1.2, 1.7.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from signing.trust.errors import InvalidKey, KeyNotHeld, UnsafeKeyFile, WrongPassphrase
from signing.trust.keystore import pem
from signing.trust.keystore.base import KeyInfo, PassphraseSource, PrivateKey

MOST_ATTEMPTS = 3


class FileKeyStore:
    """Keys in `<folder>/<canonical id>.key`, folder 0700 and files 0600."""

    def __init__(self, folder: Path, passphrases: PassphraseSource) -> None:
        self._folder = folder
        self._passphrases = passphrases

    def list(self) -> list[KeyInfo]:
        """List what is kept: role and GUN come from the PEM headers, symbolic links and other files are passed over."""
        return list(self._infos())

    def _infos(self) -> Iterator[KeyInfo]:
        paths = sorted(self._folder.glob("*.key")) if self._folder.is_dir() else []
        for path in paths:
            if not _is_plain_file(path):
                continue
            with contextlib.suppress(InvalidKey):
                file = pem.KeyFile.parse(_read(path))
                yield KeyInfo(path.stem, file.role or "", file.gun)

    def holds(self, key_id: str) -> bool:
        """Tell whether the key's file is here; a symbolic link is none."""
        return key_id.isalnum() and _is_plain_file(self._path(key_id))

    def open(self, key_id: str) -> PrivateKey:
        """Open one key; a wrong passphrase is asked again, three times in all.

        Raises:
            KeyNotHeld: it is not here.
            UnsafeKeyFile: others may read the file.
            WrongPassphrase: it does not open.
            InvalidKey: the file holds something else.
        """
        if not self.holds(key_id):
            raise KeyNotHeld(f"The private key {key_id[:12]!r} is not in {self._folder}.", key_id=key_id)
        file = pem.KeyFile.parse(read_private_file(self._path(key_id)))
        key = self._opened(file, key_id)
        if key.key_id != key_id:
            raise InvalidKey(f"The file of key {key_id[:12]} holds another key.")
        return key

    def _opened(self, file: pem.KeyFile, key_id: str) -> PrivateKey:
        if not file.is_encrypted:
            return file.open("")
        for attempt in range(MOST_ATTEMPTS):
            passphrase = self._passphrases(file.role or "", key_id, new=False, attempt=attempt)
            with contextlib.suppress(WrongPassphrase):
                return file.open(passphrase)
        raise WrongPassphrase(f"The passphrase does not open key {key_id[:12]}.", key_id=key_id)

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Write a new key file under a new passphrase."""
        passphrase = self._passphrases(role, key.key_id, new=True, attempt=0)
        self.write(key.key_id, pem.encrypt(key, passphrase, role, gun))

    def remove(self, key_id: str) -> None:
        """Delete one key's file for good.

        Raises:
            KeyNotHeld: it is not here.
        """
        if not self.holds(key_id):
            raise KeyNotHeld(f"The private key {key_id[:12]!r} is not in {self._folder}.", key_id=key_id)
        self._path(key_id).unlink()
        _sync_folder(self._folder)

    def text(self, key_id: str) -> str:
        """Give one key's file as it is, encrypted.

        Raises:
            KeyNotHeld: it is not here.
            UnsafeKeyFile: others may read the file.
        """
        if not self.holds(key_id):
            raise KeyNotHeld(f"The private key {key_id[:12]!r} is not in {self._folder}.", key_id=key_id)
        return read_private_file(self._path(key_id))

    def write(self, key_id: str, text: str) -> None:
        """Put a finished key file in place; a crash leaves the old one or the new one."""
        write_private_file(self._path(key_id), text)

    def _path(self, key_id: str) -> Path:
        return self._folder / f"{key_id}.key"


def read_private_file(path: Path) -> str:
    """Read a private key's file.

    Raises:
        UnsafeKeyFile: its mode lets group or others at it.
        InvalidKey: it is too large or not text.
    """
    if path.stat().st_mode & 0o077:
        raise UnsafeKeyFile(f"{path} may be read or written by others.", path=str(path))
    return _read(path)


def _read(path: Path) -> str:
    if path.stat().st_size > pem.LARGEST_FILE:
        raise InvalidKey(f"{path} is too large for a key file.")
    try:
        return path.read_text()
    except UnicodeDecodeError:
        raise InvalidKey(f"{path} is not a key file.") from None


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def write_private_file(path: Path, text: str) -> None:
    """Write a file only its owner may read, in folders only its owner may enter, by replacing it at once.

    When this returns it is on the disk.
    """
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it, each for the owner alone."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
