"""The checks every file below the root passes: bytes in, a verified object or a named error out.

Reference 2.2, 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar

from signing.trust.errors import ExpiredMetadata, MetadataError, Rollback
from signing.trust.notary.cache import TrustCache
from signing.trust.notary.reading import read_as, read_envelope, require_signed
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

Kind = TypeVar("Kind", Targets, Snapshot, Timestamp)


class Opened(NamedTuple):
    """A file that was read, and the role whose keys signed it."""

    role: Role
    envelope: Envelope
    content: Targets | Snapshot | Timestamp


NOTHING_OPENED: Mapping[str, Opened] = {}


def open_signed(kind: type[Kind], role: Role, data: bytes) -> tuple[Envelope, Kind]:
    """Read a file that enough keys of `role` signed. Its hash, version and time are for the caller to check.

    Raises:
        MalformedMetadata: it is not a file of that kind.
        UnmetThreshold: too few of the role's keys signed it.
    """
    envelope = read_envelope(data)
    require_signed(role, envelope)
    return envelope, read_as(kind, envelope)


def open_once(kind: type[Kind], role: Role, data: bytes, opened: Mapping[str, Opened]) -> tuple[Envelope, Kind]:
    """Do as `open_signed`, unless the same bytes were opened before for the same keys and threshold.

    Raises:
        MalformedMetadata: it is not a file of that kind.
        UnmetThreshold: too few of the role's keys signed it.
    """
    known = opened.get(role.name)
    if known is None or known.role != role or known.envelope.raw != data or not isinstance(known.content, kind):
        return open_signed(kind, role, data)
    return known.envelope, known.content


def require_unexpired(name: str, expires: datetime, at: datetime) -> None:
    """Raise if the time of a file is over; there is no tolerance, as in Notary.

    Raises:
        ExpiredMetadata: it is.
    """
    if expires < at:
        raise ExpiredMetadata(f"{name} expired on {expires:%d %B %Y at %H:%M:%S} UTC.", role=name, expires=expires)


class Remembered:
    """The cached files, each believed only as far as keys that count now signed it.

    Whoever can damage the cache can make this client forget, but cannot lock it out; nor can whoever had a key that was
    exchanged since, by a version nobody will ever reach (TUF 5.3.11).
    """

    def __init__(self, cache: TrustCache) -> None:
        self._cache = cache
        self._raw: dict[str, bytes | None] = {}

    def raw(self, name: str) -> bytes | None:
        """Give the bytes of a cached file, verified or not."""
        if name not in self._raw:
            self._raw[name] = self._cache.load(name)
        return self._raw[name]

    def require_not_older(self, role: Role, version: int, data: bytes) -> None:
        """Raise if the remembered file of a role is newer than `data`, or another file of the same version.

        That its time may be over does not matter.

        Raises:
            Rollback: it is.
        """
        remembered = self.raw(role.name)
        if remembered is None or data == remembered:
            return
        seen = _version(role, remembered)
        if seen is not None and version < seen:
            raise Rollback(
                f"The server shows version {version} of {role.name}; version {seen} was seen before.",
                role=role.name,
                shown=version,
                seen=seen,
            )
        if version == seen:
            raise Rollback(
                f"The server shows another version {version} of {role.name} than the one seen before.", role=role.name
            )


def _version(role: Role, data: bytes) -> int | None:
    try:
        if role.name == roles.TIMESTAMP:
            return open_signed(Timestamp, role, data)[1].version
        if role.name == roles.SNAPSHOT:
            return open_signed(Snapshot, role, data)[1].version
        return open_signed(Targets, role, data)[1].version
    except MetadataError:
        return None
