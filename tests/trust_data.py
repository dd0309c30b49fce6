"""Real trust data for rows: published by the trust core to a server in memory, verified and stored as a worker does."""

from __future__ import annotations

from signing.adapters.sealed_keys import SealedKeyStore
from signing.adapters.trust_cache import StoredTrustCache
from signing.approvals.previews import public_key_of
from signing.jobs.state import store_verified
from signing.models import Key, Repository, Signer
from signing.trust.notary.gun import Gun
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.notary.transport import Transport
from signing.trust.tuf.metadata import Target
from tests import factories
from tests.factories import DIGEST, PASSPHRASE
from tests.simulator import Simulator

SECRETS = {"root": PASSPHRASE, "repository": PASSPHRASE, "signer": PASSPHRASE}


def publish(
    repository: Repository, *signers: Signer, tags: tuple[str, ...] = (), server: Transport | None = None
) -> Transport:
    """Delegate to signers and have the first sign tags; make the account's root key where it has none."""
    account, server = repository.account, server or Simulator()
    if not account.keys.filter(purpose=Key.Purpose.ROOT).exists():
        factories.make_key(account, "root")
    for signer in signers:
        _open(repository, server).add_signer(signer.name, [public_key_of(signer)])
    store_verified(repository, _open(repository, server).refresh())
    if tags:
        targets = [Target.from_digest(tag, DIGEST, 528) for tag in tags]
        published = _open(repository, server, signers[0]).sign(targets)
        store_verified(repository, published.trusted)
    return server


def _open(repository: Repository, server: Transport, signer: Signer | None = None) -> TrustRepository:
    keys = repository.account.keys
    administrative = [*keys.filter(purpose=Key.Purpose.ROOT), *keys.filter(gun=repository.gun)]
    held = [signer.key] if signer else administrative
    store = SealedKeyStore(repository.account, held, SECRETS)
    return TrustRepository(Gun.parse(repository.gun), server, StoredTrustCache(repository), store)
