"""Say why an update is not taken, in the words notary-server uses: `docker trust` shows them to people as they are.

Reference 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from signing.trust.errors import InvalidKey, KeyIdMismatch, MetadataError, PublishRejected, UnmetThreshold

BAD_UPDATE = "ErrValidation"
BAD_HIERARCHY = "ErrBadHierarchy"
BAD_ROOT = "ErrBadRoot"
BAD_TARGETS = "ErrBadTargets"
BAD_SNAPSHOT = "ErrBadSnapshot"

LONGEST_REASON = 600
"""Clients read no more than 1 KiB of an error."""

_SENTENCES = {
    BAD_UPDATE: "An error occurred during validation: {}",
    BAD_HIERARCHY: "Metadata hierarchy is incomplete: {}",
    BAD_ROOT: "The root metadata is invalid: {}",
    BAD_TARGETS: "The targets metadata is invalid: {}",
    BAD_SNAPSHOT: "The snapshot metadata is invalid: {}",
}


def rejected(name: str, reason: str, *, missing: str | None = None) -> PublishRejected:
    """Make the error of an update that is refused.

    Its `detail` holds what Notary's error body says: `name`, `reason`, and `missing` where a role's file is.
    """
    reason = reason[:LONGEST_REASON]
    detail = {"name": name, "reason": reason} | ({"missing": missing} if missing else {})
    return PublishRejected(
        _SENTENCES[name].format(reason),
        next_step="Correct what the server names and publish again from the newest state.",
        **detail,
    )


def expired(role: str, moment: datetime) -> str:
    """Write that a file's time is over, with the time as Go prints it."""
    return f"{role} expired at {moment.astimezone(UTC):%a %b %e %H:%M:%S UTC %Y}"


@contextmanager
def refused_as(name: str, role: str) -> Iterator[None]:
    """Turn what does not hold in a file of `role` into the refusal `name`."""
    try:
        yield
    except UnmetThreshold:
        raise rejected(name, f"valid signatures did not meet threshold for {role}") from None
    except KeyIdMismatch:
        raise rejected(name, "key ID is not valid for key content") from None
    except (MetadataError, InvalidKey) as error:
        raise rejected(name, f"{role} type metadata invalid: {error.message}") from None
