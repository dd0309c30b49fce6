"""Put one key in the place of another in one repository, as it was approved, and look with a fresh client."""

from __future__ import annotations

from typing import Any

from signing import queue, rotations, wiring
from signing.adapters.held_keys import HeldKeys, held_keys
from signing.adapters.unsealing import take_secrets
from signing.approvals.checking import approved_lines
from signing.approvals.keys import keys_replacing
from signing.approvals.previews import public_key
from signing.jobs import signatures
from signing.jobs.run import Run, perform
from signing.jobs.state import store_verified
from signing.jobs.trust import explain, note, repository_of
from signing.models import Key, Operation, Repository, Rotation
from signing.trust.errors import KeyNotHeld, PublishRejected, TrustError
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.replacing import uses_of
from signing.trust.notary.transport import Transport


def replace_key(operation_id: int) -> None:
    """Replace a key in one repository: once, however often its worker is lost."""
    perform(queue.REPLACE_KEY, operation_id, _replace)
    rotation = Rotation.objects.filter(request__items__operation=operation_id).first()
    if rotation is not None:
        rotations.settle(rotation.pk)


def _replace(run: Run) -> None:
    repository, given = repository_of(run), run.operation.parameters
    new = Key.objects.filter(account=repository.account, key_id=given["new"]).first()
    if new is None:
        raise KeyNotHeld("The key that should come was removed meanwhile.")
    run.say(f"Replacing the key {given['old'][:12]} by {given['new'][:12]} in {repository.gun}.")
    guard = approved_lines(run.operation)
    with wiring.transport_for(repository.account.trust_server) as transport:
        try:
            trust = wiring.trust_repository(repository, transport, _keys(run, repository, new), guard)
            published = signatures.published(run, trust, lambda: trust.replace_key(given["old"], public_key(new)))
        except TrustError as error:
            explain(run, error, repository)
            raise
        note(run, published)
        store_verified(repository, published.trusted)
        _prove(run, repository, transport)


def _keys(run: Run, repository: Repository, new: Key) -> HeldKeys:
    operation: Operation = run.operation
    held = held_keys(
        repository.account,
        keys_replacing(repository, operation.parameters),
        take_secrets(operation),
        owner=operation.requested_by,
        repository=repository,
        insists=operation.insists,
        retiring=operation.parameters["old"],
    )
    held.take_in_new(new)  # of two root keys it is the one with the new passphrase
    return held


def _prove(run: Run, repository: Repository, transport: Transport) -> None:
    """Read everything anew, as a client that was never here, and keep what it sees of both keys.

    Raises:
        PublishRejected: the old key still counts somewhere.
    """
    old, new = run.operation.parameters["old"], run.operation.parameters["new"]
    seen = refresh(Gun.parse(repository.gun), transport, MemoryCache(), must_reach_server=True)
    left = uses_of(seen, old)
    proof: dict[str, Any] = {
        "old_roles": [use.role for use in left],
        "new_roles": [use.role for use in uses_of(seen, new)],
        "versions": {"root": seen.root.version, **{name: file.version for name, file in seen.files().items()}},
        "tags": [[row.tag, row.digest_hex, list(row.signers)] for row in seen.released()],
    }
    rotation = Rotation.objects.filter(request=run.operation.parameters["request"]).first()
    if rotation is not None:
        rotations.keep_proof(rotation.pk, repository.gun, proof)
    if left:
        raise PublishRejected(f"A fresh client still finds the old key in {', '.join(proof['old_roles'])}.")
    run.say(f"A fresh client finds the old key nowhere; it verifies none of {len(proof['tags'])} tags.")
