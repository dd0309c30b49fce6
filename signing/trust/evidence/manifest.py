"""What an archive says of itself: which files it has, from which server, and what that server no longer had.

Nothing here is signed. It finds damage and keeps what servers say beside the metadata; what is proven is proven by the
signatures and hashes of the metadata alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from signing.trust.errors import DamagedArchive, InvalidName, MalformedMetadata
from signing.trust.notary.gun import Gun
from signing.trust.tuf import canonical, roles, shape
from signing.trust.tuf.times import format_time, parse_time

FORMAT = "trustui-archive/1"
SEPARATOR = "_trust"
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class StoredFile(NamedTuple):
    """One metadata file by role, version and SHA-256; a file that says no version has 0."""

    role: str
    version: int
    sha256: str
    length: int

    def __str__(self) -> str:
        return f"{self.role} {self.version} ({self.sha256[:12]})"

    @property
    def name(self) -> str:
        """Its name below its repository's folder."""
        return f"{self.role}/{self.version}.{self.sha256}.json"


class Absent(NamedTuple):
    """A file that its server did not have: by version, or by the SHA-256 that another file promised."""

    role: str
    version: int = 0
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.role} {self.version or self.sha256[:12]}"


class ServerChange(NamedTuple):
    """One row of a server's changefeed: when it says that it took the timestamp with that hash, or a deletion."""

    number: str
    at: datetime
    version: int
    sha256: str
    category: str


@dataclass(frozen=True, slots=True)
class Record:
    """What an archive has of one repository.

    `server` and `taken` tell of the last time its server was asked; None where files only came from a trust folder.
    """

    files: frozenset[StoredFile] = frozenset()
    absent: frozenset[Absent] = frozenset()
    changes: tuple[ServerChange, ...] = ()
    server: str | None = None
    taken: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as the manifest holds it, in an order that depends on nothing else."""
        return {
            "server": self.server,
            "taken": None if self.taken is None else format_time(self.taken),
            "files": [list(file) for file in sorted(self.files)],
            "absent": [list(item) for item in sorted(self.absent)],
            "changes": [[row.number, format_time(row.at), *row[2:]] for row in self.changes],
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Read it. Raises: MalformedMetadata, InvalidName."""
        members = shape.members(value, "a repository", ("server", "taken", "files", "absent", "changes"))
        server, taken = members["server"], members["taken"]
        files = [_file(item) for item in shape.list_or_null(members["files"], "files")]
        if len(set(files)) != len(files):
            raise MalformedMetadata("A file is listed twice.")
        return cls(
            frozenset(files),
            frozenset(_absent(item) for item in shape.list_or_null(members["absent"], "absent")),
            tuple(_change(item) for item in shape.list_or_null(members["changes"], "changes")),
            None if server is None else shape.text(server, "server"),
            None if taken is None else parse_time(shape.text(taken, "taken")),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive has, by repository."""

    repositories: Mapping[Gun, Record] = field(default_factory=dict)

    def entries(self) -> dict[str, StoredFile]:
        """Give every file by its name in the container."""
        return {
            entry_name(gun, file): file for gun, record in sorted(self.repositories.items()) for file in record.files
        }

    def to_bytes(self) -> bytes:
        """Write it, for people to read too."""
        listed = {gun: record.to_json() for gun, record in self.repositories.items()}
        return _written({"format": FORMAT, "repositories": listed})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read one from outside.

        Raises:
            DamagedArchive: it is not one, or names a file no archive can have.
        """
        try:
            members = shape.members(canonical.parse(data), "the manifest", ("format", "repositories"))
            if members["format"] != FORMAT:
                raise MalformedMetadata(f"Its format is {str(members['format'])[:40]!r}, not {FORMAT}.")
            listed = shape.mapping(members["repositories"], "the list of repositories")
            manifest = cls({check_gun(name): Record.from_json(item) for name, item in listed.items()})
        except (MalformedMetadata, InvalidName) as error:
            raise DamagedArchive(f"The manifest of the archive cannot be used. {error.message}") from None
        if manifest.to_bytes() != data:
            raise DamagedArchive("The manifest of the archive is not written as archives write it.")
        return manifest


def check_gun(text: str) -> Gun:
    """Return the name of a repository whose files cannot be taken for another's. Raises: InvalidName."""
    gun = Gun(text)
    if SEPARATOR in gun.split("/"):
        raise InvalidName(f"{text[:300]!r} cannot be archived: {SEPARATOR} ends a repository's name there.")
    return gun


def entry_name(gun: str, file: StoredFile) -> str:
    """Name a file in the container, after the server's own addresses."""
    return f"{gun}/{SEPARATOR}/{file.name}"


def _written(value: Any) -> bytes:
    """One list of files a line: a manifest can be read and compared by people."""
    text = json.dumps(value, sort_keys=True, indent=1)
    return re.sub(r"\n {5,}|\n {4}(?=\])", " ", text).encode() + b"\n"


def _row(value: Any, what: str, size: int) -> list[Any]:
    items = shape.list_or_null(value, what)
    if len(items) != size:
        raise MalformedMetadata(f"{what} has {len(items)} members, not {size}.")
    return items


def _digest(value: Any) -> str:
    text = shape.text(value, "a SHA-256")
    if not _SHA256.fullmatch(text):
        raise MalformedMetadata("A SHA-256 has to be 64 hex digits in lower case.")
    return text


def _file(value: Any) -> StoredFile:
    role, version, sha256, length = _row(value, "a file", 4)
    return StoredFile(
        roles.check_role_name(shape.text(role, "a role")),
        shape.integer(version, "a version", 0),
        _digest(sha256),
        shape.integer(length, "a length", 0),
    )


def _absent(value: Any) -> Absent:
    role, version, sha256 = _row(value, "an absent file", 3)
    named = roles.check_role_name(shape.text(role, "a role"))
    return Absent(named, shape.integer(version, "a version", 0), sha256 and _digest(sha256))


def _change(value: Any) -> ServerChange:
    number, at, version, sha256, category = _row(value, "a change", 5)
    return ServerChange(
        shape.text(number, "the number of a change"),
        parse_time(shape.text(at, "the time of a change")),
        shape.integer(version, "the version of a change", 0),
        sha256 and _digest(sha256),
        shape.text(category, "the category of a change"),
    )
