"""What a trust server holds of one repository. A file is read and verified once, however many updates build on it.

Reference 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, cast

from signing.trust.notary.server_made import AcceptedFile
from signing.trust.notary.upload_reading import outline_of, read_targets
from signing.trust.tuf.metadata import Envelope, FileMeta, Root, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

Kind = TypeVar("Kind", Root, Targets, Snapshot, Timestamp)


class KnownFile:
    """One stored file with what was found out about it; threads may share it, as whatever they find is the same."""

    __slots__ = ("_content", "_meta", "_signed_by", "data")

    def __init__(self, data: bytes, content: Any = None, signed_by: Role | None = None) -> None:
        self.data = data
        self._content = content
        self._signed_by = signed_by
        self._meta: FileMeta | None = None

    @classmethod
    def of(cls, accepted: AcceptedFile) -> KnownFile:
        """Take over what was found out when the file was accepted."""
        return cls(accepted.data, accepted.content, accepted.signed_by)

    @property
    def meta(self) -> FileMeta:
        """What a snapshot says of this file."""
        if self._meta is None:
            self._meta = FileMeta.of(self.data)
        return self._meta

    @property
    def version(self) -> int:
        """The version the file says it has; its kind is not checked."""
        if self._content is None:
            return int(outline_of(Envelope.parse(self.data))["version"])
        return int(self._content.version)

    def read(self, kind: type[Kind]) -> Kind:
        """Give what the file says; a targets file comes without its targets, which a server never looks at again.

        Raises:
            MalformedMetadata: it is not of that kind.
        """
        if not isinstance(self._content, kind):
            envelope = Envelope.parse(self.data)
            self._content = (
                read_targets(envelope) if kind is Targets else cast(Any, kind).from_signed(outline_of(envelope))
            )
        return cast(Kind, self._content)

    def require_signed(self, role: Role) -> None:
        """Raise unless enough keys of `role` signed the file; only success is remembered.

        Raises:
            KeyIdMismatch: a key that should count is listed under an id that is not its own.
            UnmetThreshold: too few keys signed.
        """
        if role != self._signed_by:
            role.require_threshold(Envelope.parse(self.data))
            self._signed_by = role


class CurrentFiles(Protocol):
    """What is stored for one GUN now: the highest version of each role."""

    def file(self, role: str) -> KnownFile | None:
        """Give a role's file."""

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""


class FilesInMemory:
    """Current files that were accepted before, by role name."""

    def __init__(self, files: Mapping[str, AcceptedFile]) -> None:
        self._files = files

    def file(self, role: str) -> KnownFile | None:
        """Give a role's file."""
        return KnownFile.of(self._files[role]) if role in self._files else None

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored."""
        return self._files[role].version if role in self._files else 0
