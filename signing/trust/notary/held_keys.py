"""Sign files of roles with every key at hand (reference 4.6)."""

from __future__ import annotations

from collections.abc import Mapping

from signing.trust.errors import UnmetThreshold
from signing.trust.keystore.base import AbsentKey, KeyStore, PrivateKey, opened_once
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.prepared import PreparedFile
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
        envelope = self._signed(file.unsigned(), {keyid: self.open(key.canonical_id) for keyid, key in pairs.items()})
        for role in by:
            role.require_threshold(envelope)  # a token or a mixed-up file may sign with another key than it says
        return envelope

    def prepare(self, name: str, file: Root | Targets, *by: Role) -> PreparedFile:
        """Sign as `sign` does; what holders elsewhere have to sign is `wanted`, if the keys here are not enough.

        Raises:
            CannotSign: too few keys are at hand, here or with holders who can be asked.
            WrongPassphrase: one does not open.
        """
        pairs = {keyid: key for role in by for keyid, key in self.require(role)}
        opened = {keyid: self.open(key.canonical_id) for keyid, key in pairs.items()}
        absent = {keyid: pairs[keyid] for keyid, key in opened.items() if isinstance(key, AbsentKey)}
        if not absent:
            return PreparedFile(name, file, self.sign(file, *by), by=by)
        here = {keyid: key for keyid, key in opened.items() if keyid not in absent}
        envelope = self._signed(file.unsigned(), here)
        wanted = {} if all(_is_met(role, envelope) for role in by) else absent
        return PreparedFile(name, file, envelope, wanted, by)

    def _signed(self, unsigned: Envelope, keys: Mapping[str, PrivateKey]) -> Envelope:
        signatures = [key.signature(keyid, unsigned.payload) for keyid, key in keys.items()]
        return unsigned.with_signatures(tuple(signatures))


def _is_met(role: Role, envelope: Envelope) -> bool:
    try:
        role.require_threshold(envelope)
    except UnmetThreshold:
        return False
    return True
