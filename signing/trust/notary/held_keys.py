"""Sign files of roles with every key at hand (reference 4.6)."""

from __future__ import annotations

from signing.trust.keystore.base import KeyStore, opened_once
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Targets
from signing.trust.tuf.roles import Role


class HeldKeys(KeysAtHand):
    """The private keys of one person or worker, used for one GUN; each is opened once."""

    def __init__(self, gun: str, keystore: KeyStore) -> None:
        super().__init__(gun, keystore.holds)
        self.open = opened_once(keystore)

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
