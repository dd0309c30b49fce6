"""Files that are fixed byte for byte before all who have to sign them did: what waits for holders elsewhere.

A signature counts for these very bytes. Nothing here opens a key or asks a server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from signing.trust.errors import KeyStoreError, MalformedMetadata
from signing.trust.notary.reading import read_as, read_envelope
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root, Signature, Targets
from signing.trust.tuf.roles import Role

_BEFORE, _AFTER = b'{"signed":', b',"signatures":[]}'


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """One file of an update with the signatures it has so far.

    `wanted` names keys of holders elsewhere, by the id the file lists them under; `by` are the roles whose thresholds
    the signatures have to meet.
    """

    role: str
    content: Root | Targets
    envelope: Envelope
    wanted: Mapping[str, PublicKey] = field(default_factory=dict)
    by: tuple[Role, ...] = ()

    @classmethod
    def read(cls, role: str, payload: bytes, signatures: Sequence[Signature] = ()) -> PreparedFile:
        """Read one again from the bytes that are signed.

        Raises:
            MalformedMetadata: these are not the canonical bytes of a file of that role.
        """
        try:
            envelope = read_envelope(_BEFORE + payload + _AFTER)
            content = read_as(Root, envelope) if role == roles.ROOT else read_as(Targets, envelope)
            unsigned = content.unsigned()
        except MalformedMetadata as error:
            raise MalformedMetadata(f"What is to be signed is no file of the role {role}. {error.message}") from None
        if unsigned.payload != payload:
            raise MalformedMetadata(f"What is to be signed is not written as Notary's clients write a {role} file.")
        return cls(role, content, unsigned.with_signatures(tuple(signatures)))

    @property
    def version(self) -> int:
        """The version it is published as."""
        return self.content.version

    @property
    def payload_hash(self) -> str:
        """The SHA-256 of the bytes that are signed, in lower-case hex: what people compare."""
        return hashlib.sha256(self.envelope.payload).hexdigest()

    def require_verified(self, keys: Mapping[str, PublicKey]) -> None:
        """Raise unless each signature verifies with the key it names; one that does not was never made over this file.

        Raises:
            KeyStoreError: one does not.
        """
        for signature in self.envelope.signatures:
            key = keys.get(signature.keyid)
            if key is None or not key.verifies(signature.method, signature.sig, self.envelope.payload):
                raise KeyStoreError(
                    f"A stored signature of {self.role} by the key {signature.keyid[:12]} is not one of these bytes.",
                    next_step="Try again: the file is prepared and signed anew.",
                )


class SignaturesMissing(Exception):
    """Holders elsewhere have to sign first; no failure, and nothing was sent. `files` are all files of the update."""

    def __init__(self, files: Iterable[PreparedFile]) -> None:
        super().__init__("signatures of holders elsewhere are missing")
        self.files = tuple(files)
