"""Roles: their names, and whose keys must have signed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signing.trust.errors import InvalidName, KeyIdMismatch, UnmetThreshold
from signing.trust.tuf.keys import PublicKey

if TYPE_CHECKING:
    from signing.trust.tuf.metadata import Envelope

ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
BASE_ROLES = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
RELEASES = "targets/releases"
LONGEST_NAME = 255

_DELEGATION = re.compile(r"targets(/[-a-z0-9_]+)+", re.ASCII)
_SIGNER = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII)


def is_delegation(name: str) -> bool:
    """Tell whether `name` is a delegation such as `targets/releases` (reference: TUF role names of Notary 0.7)."""
    return len(name) <= LONGEST_NAME and _DELEGATION.fullmatch(name) is not None


def check_role_name(name: str) -> str:
    """Return `name` if it is one of the base roles or a delegation.

    Raises:
        InvalidName: otherwise.
    """
    if name in BASE_ROLES or is_delegation(name):
        return name
    raise InvalidName(f"{name[:80]!r} is not the name of a role.")


def parent_of(name: str) -> str:
    """Name the role that delegates to `name`."""
    return posixpath.dirname(name)


def check_signer_name(name: str) -> str:
    """Return `name` if a signer may have it: docker's rule, with `releases` reserved.

    Raises:
        InvalidName: otherwise.
    """
    if name == "releases":
        raise InvalidName("`releases` is reserved for the role of released tags.", next_step="Choose another name.")
    if not _SIGNER.fullmatch(name) or not is_delegation(f"targets/{name}"):
        raise InvalidName(
            f"A signer cannot be named {name[:80]!r}.",
            next_step="Start with a lower-case letter or a digit, then use a-z, 0-9, - and _ only.",
        )
    return name


@dataclass(frozen=True, slots=True)
class Role:
    """Whose keys may sign one metadata file, and how many must."""

    name: str
    keys: Mapping[str, PublicKey]
    threshold: int

    def require_threshold(self, envelope: Envelope) -> None:
        """Raise unless enough different keys of this role signed `envelope` (TUF 5.x, "check signatures").

        Signatures by other keys and broken ones are passed over; one key counts once, however often metadata lists it:
        under two certificates, or in two encodings.

        Raises:
            KeyIdMismatch: a key that should count is listed under an id that is not its own.
            UnmetThreshold: too few keys signed.
        """
        valid = self.signing_keys(envelope)
        different = len(valid) if len(valid) < 2 else len({key.material for key in valid})
        if self.threshold < 1 or different < self.threshold:
            raise UnmetThreshold(self.name, self.threshold, different)

    def signing_keys(self, envelope: Envelope) -> list[PublicKey]:
        """Give the keys of this role whose signatures on `envelope` hold, in the order of the signatures.

        Raises:
            KeyIdMismatch: a key that should count is listed under an id that is not its own.
        """
        valid: list[PublicKey] = []
        for signature in envelope.signatures:
            key = self.keys.get(signature.keyid)
            if key is None:
                continue
            if key.key_id != signature.keyid:
                raise KeyIdMismatch(f"A key of {self.name} is listed under an id that is not its own.", role=self.name)
            if key.verifies(signature.method, signature.sig, envelope.payload):  # first: it also tells broken keys
                valid.append(key)
        return valid

    def keys_behind(self, envelope: Envelope) -> list[PublicKey]:
        """Give the same of a file that is known to meet the threshold: a single signature is not verified again."""
        listed = [self.keys[item.keyid] for item in envelope.signatures if item.keyid in self.keys]
        return listed if len(listed) == 1 else self.signing_keys(envelope)
