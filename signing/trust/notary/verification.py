"""The checks every file below the root passes: bytes in, a verified object or a named error out."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from signing.trust.errors import ExpiredMetadata, MetadataError, Rollback
from signing.trust.notary.cache import TrustCache
from signing.trust.notary.reading import read_as, read_envelope, require_signed
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

Kind = TypeVar("Kind", Targets, Snapshot, Timestamp)


def open_signed(kind: type[Kind], role: Role, data: bytes) -> tuple[Envelope, Kind]:
    """Read a file that enough keys of `role` signed. Its hash, version and time are for the caller to check.

    Raises:
        MalformedMetadata: it is not a file of that kind.
        UnmetThreshold: too few of the role's keys signed it.
    """
    envelope = read_envelope(data)
    require_signed(role, envelope)
    return envelope, read_as(kind, envelope)


def require_unexpired(name: str, expires: datetime, at: datetime) -> None:
    """Raise if the time of a file is over; there is no tolerance, as in Notary.

    Raises:
        ExpiredMetadata: it is.
    """
    if expires < at:
        raise ExpiredMetadata(f"{name} expired on {expires:%d %B %Y at %H:%M:%S} UTC.", role=name, expires=expires)


class Remembered:
    """The cached files, each believed only as far as the remembered root and its delegations sign it.

    Whoever can damage the cache can make this client forget, but cannot lock it out.
    """

    def __init__(self, cache: TrustCache, root: Root | None) -> None:
        self._cache = cache
        self._root = root
        self._raw: dict[str, bytes | None] = {}
        self._opened: dict[str, Timestamp | Snapshot | Targets | None] = {}

    def raw(self, name: str) -> bytes | None:
        """Give the bytes of a cached file, verified or not."""
        if name not in self._raw:
            self._raw[name] = self._cache.load(name)
        return self._raw[name]

    def version(self, name: str) -> int | None:
        """Tell which version of a file was verified before, though its time may be over; None for none."""
        signed = self._signed(name)
        return None if signed is None else signed.version

    def require_not_older(self, name: str, version: int, data: bytes) -> None:
        """Raise if the remembered file is newer than `data`, or another file of the same version.

        Raises:
            Rollback: it is.
        """
        if data == self.raw(name):
            return
        seen = self.version(name)
        if seen is not None and version < seen:
            raise Rollback(
                f"The server shows version {version} of {name}; version {seen} was seen before.",
                role=name,
                shown=version,
                seen=seen,
            )
        if version == seen:
            raise Rollback(f"The server shows another version {version} of {name} than the one seen before.", role=name)

    def _signed(self, name: str) -> Timestamp | Snapshot | Targets | None:
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def _open(self, name: str) -> Timestamp | Snapshot | Targets | None:
        data, role = self.raw(name), self._role(name)
        if data is None or role is None:
            return None
        try:
            if name == roles.TIMESTAMP:
                return open_signed(Timestamp, role, data)[1]
            if name == roles.SNAPSHOT:
                return open_signed(Snapshot, role, data)[1]
            return open_signed(Targets, role, data)[1]
        except MetadataError:
            return None

    def _role(self, name: str) -> Role | None:
        if not roles.is_delegation(name):
            return None if self._root is None else self._root.role(name)
        parent = self._signed(roles.parent_of(name))
        return parent.role(name) if isinstance(parent, Targets) else None
