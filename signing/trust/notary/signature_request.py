"""What a holder is asked to sign, looked at on the holder's machine: believed in nothing that can be worked out there.

The request comes with the files that were trusted last and with the other files of the same change. Those have to hold
together from a root this machine knows, or meets for the first time; hash and lines are worked out from the bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signing.trust.errors import AlteredRequest, InvalidInput, MetadataError, TrustError, WrongSignature
from signing.trust.notary.finishing import signing_roles, update_of
from signing.trust.notary.gun import Gun
from signing.trust.notary.lines import diff_lines
from signing.trust.notary.pinning import Pinning
from signing.trust.notary.prepared import PreparedFile
from signing.trust.notary.root_rules import check_root, read_root
from signing.trust.notary.signature_files import REQUEST_FORMAT
from signing.trust.notary.stored import stored_state
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.roles import Role

Remembered = Callable[[str], bytes | None]
"""Gives the file of a role that this machine trusted last."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found out about a request: the file, the state it follows, and the lines that come and go."""

    file: PreparedFile
    before: TrustedRepository | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignatureRequest:
    """A request as it came. `asked_by`, `kind` and `expires_at` are only said, everything else is checked."""

    id: int
    gun: Gun
    role: str
    version: int
    key_id: str
    keyid: str
    sha256: str
    payload: bytes
    lines: tuple[str, ...]
    files: Mapping[str, bytes]
    together: Mapping[str, bytes]
    asked_by: str = ""
    kind: str = ""
    expires_at: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, data: bytes) -> SignatureRequest:
        """Read a request file, or the dashboard's answer.

        Raises:
            InvalidInput: it is none.
        """
        try:
            found = json.loads(data)
            if found["format"] != REQUEST_FORMAT:
                raise ValueError
            return cls(
                id=int(found["id"]),
                gun=Gun.parse(str(found["repository"])),
                role=roles.check_role_name(str(found["role"])),
                version=int(found["version"]),
                key_id=str(found["key_id"]),
                keyid=str(found["keyid"]),
                sha256=str(found["sha256"]),
                payload=_bytes(found["payload"]),
                lines=tuple(str(line) for line in found["lines"]),
                files={str(role): _bytes(text) for role, text in found["files"].items()},
                together={str(role): _bytes(text) for role, text in found["together"].items()},
                asked_by=str(found.get("asked_by", "")),
                kind=str(found.get("kind", "")),
                expires_at=str(found.get("expires_at", "")),
                raw=found,
            )
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError, TrustError):
            raise InvalidInput(
                "That is no signature request of TrustUI.",
                next_step="Fetch it with trustctl sign-request ID --save FILE.",
            ) from None

    def look(self, remembered: Remembered, pinning: Pinning, now: datetime) -> Looked:
        """Work out what signing it does, and refuse what does not hold together.

        Raises:
            AlteredRequest: the bytes are not what the request says, or do not follow what is trusted.
            MetadataError: the files that were trusted last do not hold.
        """
        if hashlib.sha256(self.payload).hexdigest() != self.sha256:
            raise AlteredRequest("The bytes to sign do not have the hash that the request says.")
        file = self._read(self.role, self.payload)
        if file.version != self.version:
            raise AlteredRequest(f"The bytes to sign are version {file.version}, the request says {self.version}.")
        before = self._before(remembered, pinning, now)
        self._require_next(before, file)
        self._require_wanted(before, file, now)
        lines = tuple(diff_lines(before, _alone(file)))
        if lines != self.lines:
            raise AlteredRequest("What the bytes change is not what the request says that they change.")
        return Looked(file, before, lines)

    def _read(self, role: str, payload: bytes) -> PreparedFile:
        try:
            return PreparedFile.read(role, payload)
        except MetadataError as error:
            raise AlteredRequest(error.message) from None

    def _before(self, remembered: Remembered, pinning: Pinning, now: datetime) -> TrustedRepository | None:
        """Give the state it follows: from the root this machine knows on, and no older than what was seen here."""
        before = stored_state(self.gun, self.files)
        known = remembered(roles.ROOT)
        if before is None:
            if known is not None:
                raise AlteredRequest(f"{self.gun} has trust data already, and the request would begin it anew.")
            return None
        offered, previous = read_root(self.files[roles.ROOT]), read_root(known).root if known else None
        if previous is None or offered.root.version > previous.version:
            check_root(offered, self.gun, now, previous=previous, pinning=pinning, expiry_counts=previous is None)
        elif offered.envelope.raw != known:
            raise AlteredRequest(f"The root of {self.gun} in the request is not the one that was seen here before.")
        self._require_not_older(before, remembered)
        return before

    def _require_not_older(self, before: TrustedRepository, remembered: Remembered) -> None:
        for role, envelope in before.envelopes.items():
            data = remembered(role)
            if data is not None and int(Envelope.parse(data).signed["version"]) > int(envelope.signed["version"]):
                raise AlteredRequest(
                    f"The request follows an older {role} of {self.gun} than was seen here.",
                    next_step="Ask whoever sent it to check the repository, and fetch it anew.",
                )

    def _require_next(self, before: TrustedRepository | None, file: PreparedFile) -> None:
        if before is None or self.role not in before.envelopes:
            return
        was = int(before.envelopes[self.role].signed["version"])
        if file.version != was + 1:
            raise AlteredRequest(
                f"{self.gun} has version {was} of {self.role} now; what is to be signed is version {file.version}.",
                next_step="Wait until it is prepared anew, then look again: trustctl requests.",
            )

    def _require_wanted(self, before: TrustedRepository | None, file: PreparedFile, now: datetime) -> None:
        """Raise unless the key is one of those that have to sign the file, in this very change."""
        others = [self._read(role, payload) for role, payload in self.together.items() if role != self.role]
        update = update_of(before, [file, *others])
        listed = [role.keys.get(self.keyid) for role in signing_roles(before, update, self.role)]
        if not any(key is not None and key.canonical_id == self.key_id for key in listed):
            raise AlteredRequest(f"The key {self.key_id[:12]} is none of those that sign {self.role} of {self.gun}.")
        if file.content.is_expired(now):
            raise AlteredRequest("What is to be signed is over already.")


def require_own(request: SignatureRequest, key_id: str) -> None:
    """Raise unless this is the key that is asked for.

    Raises:
        WrongSignature: it is another one.
    """
    if key_id != request.key_id:
        raise WrongSignature(
            f"The key {request.key_id[:12]} is asked to sign, this is {key_id[:12]}.",
            next_step="Name the key that the request asks for.",
        )


def _alone(file: PreparedFile) -> Update:
    if isinstance(file.content, Root):
        return Update({}, file.content)
    return Update({file.role: (Role(file.role, {}, 1), file.content)})


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None
