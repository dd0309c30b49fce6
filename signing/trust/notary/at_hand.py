"""Which keys of a role are at hand, and whether they are enough. Nothing here opens a key (reference 4.6)."""

from __future__ import annotations

from collections.abc import Callable

from signing.trust.errors import CannotSign, InvalidKey
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.roles import Role

WHOM_TO_ASK = {
    roles.ROOT: "Ask the holder of the root key: only that key can do this.",
    roles.TARGETS: "Ask whoever initialised the repository: the holder of that key can do this.",
    roles.SNAPSHOT: "Ask its holder, or have the root key's holder give the snapshot key to the server.",
}


class KeysAtHand:
    """The keys of one person or worker for one GUN, by canonical id."""

    def __init__(self, gun: str, holds: Callable[[str], bool]) -> None:
        self._gun = gun
        self._has = holds

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

    def _holds(self, key: PublicKey) -> bool:
        try:
            return self._has(key.canonical_id)
        except InvalidKey:
            return False

    def _too_few(self, role: Role, held: int) -> str:
        if role.threshold == 1:
            return f"The key of {role.name} of {self._gun} is not at hand."
        return f"{role.name} of {self._gun} needs signatures of {role.threshold} keys, and {held} of them are at hand."


def _name_of(keyid: str, key: PublicKey) -> str:
    try:
        return key.canonical_id
    except InvalidKey:
        return keyid
