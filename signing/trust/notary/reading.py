"""Read and verify files, the same bytes only once in a process (reference 2.1).

A dashboard looks at the same unchanged files again and again. What is kept here is keyed by everything a result depends
on: the bytes, and for signatures the keys and the threshold. Times, versions and hashes are checked anew each time.
Results are shared, so nobody may change them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

LARGEST_KEPT = 16 * 1024
MOST_KEPT = 128
"""Few enough that the oddest files, which take twenty times their size once they are read, fill no memory."""

Kind = TypeVar("Kind", Root, Targets, Snapshot, Timestamp)


def read_envelope(data: bytes) -> Envelope:
    """Read a signed file; nothing is verified.

    Raises:
        MalformedMetadata: it is not one.
    """
    return _kept_envelope(data) if len(data) <= LARGEST_KEPT else Envelope.parse(data)


def read_as(kind: type[Kind], envelope: Envelope) -> Kind:
    """Read what a file says.

    Raises:
        MalformedMetadata: it is not of that kind.
    """
    if len(envelope.raw) > LARGEST_KEPT:
        return kind.from_envelope(envelope)
    return cast(Kind, _kept_content(cast(Any, kind), envelope.raw))  # mypy does not see that classes are hashable


def require_signed(role: Role, envelope: Envelope) -> None:
    """Raise unless enough keys of `role` signed the file.

    Raises:
        KeyIdMismatch: a key that should count is listed under an id that is not its own.
        UnmetThreshold: too few keys signed.
    """
    if len(envelope.raw) > LARGEST_KEPT:
        role.require_threshold(envelope)
    else:
        _require_signed_once(role.name, tuple(role.keys.items()), role.threshold, envelope.raw)


@lru_cache(maxsize=MOST_KEPT)
def _kept_envelope(data: bytes) -> Envelope:
    return Envelope.parse(data)


@lru_cache(maxsize=MOST_KEPT)
def _kept_content(kind: type[Kind], data: bytes) -> Kind:
    return kind.from_envelope(_kept_envelope(data))


@lru_cache(maxsize=MOST_KEPT)
def _require_signed_once(name: str, keys: tuple[tuple[str, PublicKey], ...], threshold: int, data: bytes) -> None:
    """Raises like `Role.require_threshold`; only success is kept."""
    Role(name, dict(keys), threshold).require_threshold(_kept_envelope(data))
