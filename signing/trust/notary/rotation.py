"""Replace the keys of the four base roles (reference 6, "Rotation"); each needs the root key."""

from __future__ import annotations

from collections.abc import Sequence

from signing.trust.errors import InvalidInput
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.building import rotation_update
from signing.trust.notary.founding import new_key
from signing.trust.notary.publishing import Published, Publisher
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey


def rotate(publisher: Publisher, role: str, keys: Sequence[PrivateKey] = (), *, to_server: bool = False) -> Published:
    """Give a base role new keys: those given, which the store has to hold, or as many new ones as its threshold asks.

    A new root is signed by the old and the new keys; clients several versions behind follow from root to root. The
    key of the timestamp is always the server's, that of the snapshot where `to_server` says so.

    Raises:
        InvalidInput: the role cannot have its key there.
        CannotSign: the root key is not at hand.
    """
    _require_possible(role, to_server=to_server)
    publics: list[PublicKey] = []

    def build(before: TrustedRepository) -> Update:
        publisher.held.require(before.root.role(roles.ROOT))  # before a key is made that nothing would use
        if not publics:  # somebody who was faster does not make these keys worse
            publics.extend(_new_publics(publisher, before, role, keys, to_server=to_server))
        return rotation_update(publisher.draft(before), before, role, publics, publisher.now())

    def proof(after: TrustedRepository) -> bool:
        return after.root.role(role).keys.keys() == {key.key_id for key in publics}

    return publisher.publish_update(build, proof)


def _require_possible(role: str, *, to_server: bool) -> None:
    if role not in roles.BASE_ROLES:
        raise InvalidInput(f"{role[:80]!r} is not a base role.", next_step="Name root, targets, snapshot or timestamp.")
    if to_server and role in (roles.ROOT, roles.TARGETS):
        raise InvalidInput(f"A trust server does not keep the {role} key.", next_step="Rotate it to a key of yours.")
    if not to_server and role == roles.TIMESTAMP:
        raise InvalidInput(
            "The timestamp key is always the trust server's.", next_step="Have the server make a new one."
        )


def _new_publics(
    publisher: Publisher, before: TrustedRepository, role: str, keys: Sequence[PrivateKey], *, to_server: bool
) -> list[PublicKey]:
    if to_server:
        return [publisher.transport.rotate_key(publisher.gun, role)]
    gun = None if role == roles.ROOT else str(publisher.gun)
    count = before.root.roles[role].threshold
    chosen = list(keys) or [new_key(publisher.keystore, role, gun) for _ in range(count)]
    if role != roles.ROOT:
        return [key.public for key in chosen]
    return [root_certificate(key, str(publisher.gun), publisher.now()) for key in chosen]
