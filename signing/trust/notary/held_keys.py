"""Sign files of roles with every key at hand."""

from __future__ import annotations

from signing.trust.errors import CannotSign, InvalidKey
from signing.trust.keystore.base import KeyStore, opened_once
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets
from signing.trust.tuf.roles import Role

WHOM_TO_ASK = {
    roles.ROOT: "Ask the holder of the root key: only that key can do this.",
    roles.TARGETS: "Ask whoever initialised the repository: the holder of that key can do this.",
    roles.SNAPSHOT: "Ask its holder, or have the root key's holder give the snapshot key to the server.",
}


class HeldKeys:
    """The private keys of one person or worker, used for one GUN; each is opened once."""

    def __init__(self, gun: str, keystore: KeyStore) -> None:
        self._gun = gun
        self._keystore = keystore
        self.open = opened_once(keystore)

    def of(self, role: Role) -> list[tuple[str, PublicKey]]:
        """Give the keys of a role whose private half is at hand, under the ids metadata lists them by."""
        return [(keyid, key) for keyid, key in role.keys.items() if self._holds(key)]

    def can_sign(self, role: Role) -> bool:
        """Tell whether enough different keys of the role are at hand; whether they open is not tried."""
        return 0 < role.threshold <= len({key.canonical_id for _, key in self.of(role)})

    def require(self, role: Role) -> list[tuple[str, PublicKey]]:
        """Give the keys of a role at hand, if they are enough.

        Raises:
            CannotSign: they are not; it names the missing ones.
        """
        held = self.of(role)
        if self.can_sign(role):
            return held
        missing = [_name_of(keyid, key) for keyid, key in role.keys.items() if (keyid, key) not in held]
        raise CannotSign(
            f"{self._too_few(role, len({key.canonical_id for _, key in held}))} Missing: "
            f"{', '.join(key_id[:12] for key_id in missing) or 'it has no keys'}.",
            next_step=WHOM_TO_ASK.get(role.name, "Ask a holder of the missing keys to do this."),
            role=role.name,
            missing=missing,
        )

    def sign(self, file: Root | Snapshot | Targets, *by: Role) -> Envelope:
        """Give the file signed with every key at hand of these roles; each role's threshold has to be met.

        Raises:
            CannotSign: too few keys are at hand.
            WrongPassphrase: one does not open.
        """
        pairs = {keyid: key for role in by for keyid, key in self.require(role)}
        unsigned = file.unsigned()
        signatures = [self.open(key.canonical_id).signature(keyid, unsigned.payload) for keyid, key in pairs.items()]
        envelope = unsigned.with_signatures(tuple(signatures))
        for role in by:
            role.require_threshold(envelope)  # a token or a mixed-up file may sign with another key than it says
        return envelope

    def _holds(self, key: PublicKey) -> bool:
        try:
            return self._keystore.holds(key.canonical_id)
        except InvalidKey:
            return False

    def _too_few(self, role: Role, held: int) -> str:
        if role.threshold == 1:
            return f"The key of {role.name} of {self._gun} is not at hand."
        return f"{role.name} of {self._gun} needs signatures of {role.threshold} keys, and {held} of them are at hand."


def keys_by_id(*keys: PublicKey) -> dict[str, PublicKey]:
    """Index keys by their TUF id, as metadata lists them."""
    return {key.key_id: key for key in keys}


def _name_of(keyid: str, key: PublicKey) -> str:
    try:
        return key.canonical_id
    except InvalidKey:
        return keyid
