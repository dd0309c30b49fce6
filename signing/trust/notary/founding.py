"""Create the trust data of a repository that has none (reference 4.8, steps 1 to 3), its snapshot key the server's."""

from __future__ import annotations

from collections.abc import Sequence

from signing.trust.errors import NoTrustData
from signing.trust.keystore.base import KeyStore, PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.base_keys import first_root
from signing.trust.notary.building import first_update
from signing.trust.notary.changelist import Change
from signing.trust.notary.publishing import Proof, Published, Publisher
from signing.trust.tuf import roles


def initialise(publisher: Publisher, changes: Sequence[Change], proof: Proof) -> Published:
    """Publish a first root and the first targets with `changes`.

    The root key is the first one in the store, else a new one; new keys are kept before anything is sent.

    Raises:
        NoTrustData: this client remembers trust data of that name; a second root over it would look like an attack.
    """
    require_never_trusted(publisher)
    gun, now, held = publisher.gun, publisher.now(), publisher.held
    server_keys = {name: publisher.transport.get_key(gun, name) for name in (roles.TIMESTAMP, roles.SNAPSHOT)}
    certificate = root_certificate(_root_key(publisher), str(gun), now)
    role_keys = {roles.ROOT: certificate, roles.TARGETS: _targets_key(publisher).public, **server_keys}
    update = first_update(first_root(role_keys, now), changes, now)
    publisher.guard(None, update, False)
    files = update.signed(None, held, now)
    publisher.send(files)
    return publisher.proved(publisher.cache, None, update, files, proof)


def new_key(keystore: KeyStore, role: str, gun: str | None = None) -> PrivateKey:
    """Make a key and keep it; only then it may be used."""
    key = PrivateKey.generate()
    keystore.add(key, role, gun)
    return key


def require_never_trusted(publisher: Publisher) -> None:
    """Raise where this client remembers trust data that the server has not.

    Raises:
        NoTrustData: a second root over it would look like an attack.
    """
    if publisher.cache.load(roles.ROOT) is not None:
        raise NoTrustData(
            f"{publisher.gun} had trust data before, but its server has none now.",
            next_step="Ask the trust server's administrator what became of it; consumers still trust the old root.",
        )


def _root_key(publisher: Publisher) -> PrivateKey:
    known = sorted(info.key_id for info in publisher.keystore.list() if info.role == roles.ROOT)
    return publisher.held.open(known[0]) if known else new_key(publisher.keystore, roles.ROOT)


def _targets_key(publisher: Publisher) -> PrivateKey:
    """Reuse the key of an attempt that failed half-way, so that no orphans pile up."""
    gun = str(publisher.gun)
    infos = publisher.keystore.list()
    known = sorted(info.key_id for info in infos if (info.role, info.gun) == (roles.TARGETS, gun))
    return publisher.held.open(known[0]) if known else new_key(publisher.keystore, roles.TARGETS, gun)
