"""What only an approved request causes: signers come and go, tags are revoked, keys are replaced.

Each looks first whether exactly this was approved, lets nothing else be signed, and is safe to run twice.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from signing import queue, wiring
from signing.adapters.held_keys import HeldKeys, held_keys
from signing.adapters.unsealing import take_secrets
from signing.approvals.checking import approved_lines
from signing.approvals.custody import require_custody
from signing.approvals.keys import keys_for
from signing.approvals.previews import public_key_of
from signing.jobs import signatures
from signing.jobs.run import Run, perform
from signing.jobs.state import check_repository, store_verified
from signing.jobs.trust import explain, note, repository_of, signer_of, tell
from signing.models import ChangeRequest, Event, Key, Operation
from signing.trust.errors import NoSuchSigner, NoSuchTarget, TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.repository import Published
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.tuf import roles

Verb = Callable[[TrustRepository, HeldKeys], Published]


def add_signer(operation_id: int) -> None:
    """Delegate to an approved signer, initialising the repository where it has no trust data."""
    perform(queue.ADD_SIGNER, operation_id, _add_signer)


def remove_signer(operation_id: int) -> None:
    """Take a signer out; tags that the approval names stop verifying, and no others."""
    perform(queue.REMOVE_SIGNER, operation_id, _remove_signer)


def revoke(operation_id: int) -> None:
    """Take one tag back."""
    perform(queue.REVOKE, operation_id, _revoke)


def rotate(operation_id: int) -> None:
    """Give a base role a new key."""
    perform(queue.ROTATE, operation_id, _rotate)


def _add_signer(run: Run) -> None:
    repository, signer = repository_of(run), signer_of(run)
    require_custody(repository, [signer.key])
    public = public_key_of(signer)
    public.require_current(timezone.now())  # it may have expired since it was attached
    run.say(f"Adding {signer.name} to {repository.gun}.")
    _publish(run, lambda trust, _: trust.add_signer(signer.name, [public]))


def _remove_signer(run: Run) -> None:
    repository, signer = repository_of(run), signer_of(run)
    run.say(f"Taking {signer.name} out of {repository.gun}.")
    try:
        _publish(run, lambda trust, _: trust.remove_signer(signer.name, force=True))
    except NoSuchSigner:
        run.say(f"{signer.name} was no signer any more.")
        check_repository(repository)


def _revoke(run: Run) -> None:
    repository, tag = repository_of(run), str(run.operation.parameters["tag"])
    run.say(f"Revoking {repository.gun}:{tag}.")
    try:
        _publish(run, lambda trust, _: trust.revoke([tag]))
    except NoSuchTarget:
        run.say(f"{tag} was not signed any more.")
        check_repository(repository)
    tell(run, Event.REVOKED, f"{repository.gun}:{tag} is revoked.", repository, tag=tag)


def _rotate(run: Run) -> None:
    repository, role = repository_of(run), str(run.operation.parameters["role"])
    run.say(f"Replacing the {role} key of {repository.gun}.")

    def verb(trust: TrustRepository, keystore: HeldKeys) -> Published:
        before = trust.refresh()
        known = {key.canonical_id for key in before.root.role(role).keys.values()}
        if _is_replaced(run, known):
            run.say("An earlier attempt had replaced it already.")
            return Published({}, before)
        if role == roles.SNAPSHOT:
            return trust.rotate(role, to_server=True)
        return trust.rotate(role, _new_keys(run, keystore, role))

    _publish(run, verb)


def _publish(run: Run, verb: Verb) -> None:
    operation, repository = run.operation, repository_of(run)
    guard = approved_lines(operation)
    keystore = held_keys(
        repository.account,
        keys_for(operation.kind, repository, operation.signer),
        take_secrets(operation),
        owner=operation.requested_by,
        repository=repository,
        insists=operation.insists,
    )
    with wiring.transport_for(repository.account.trust_server) as transport:
        try:
            trust = wiring.trust_repository(repository, transport, keystore, guard)
            published = signatures.published(run, trust, lambda: verb(trust, keystore))
        except TrustError as error:
            explain(run, error, repository)
            raise
    note(run, published)
    store_verified(repository, published.trusted)


def _is_replaced(run: Run, known: set[str]) -> bool:
    """Tell whether a worker that was lost had finished: the new key counts, or not the one that did at first."""
    if given := run.operation.parameters.get("keys"):
        return known == set(given)
    if run.operation.key is not None:
        return known == {run.operation.key.key_id}
    first = run.result.setdefault("first_keys", sorted(known))
    run.save_result()
    return bool(set(first) != known)


def _new_keys(run: Run, keystore: HeldKeys, role: str) -> list[PrivateKey]:
    """Give the keys that were chosen, which may be with their holders, or a new one."""
    given = run.operation.parameters.get("keys")
    if not given:
        return [_new_key(run, keystore, role)]
    for row in Key.objects.filter(key_id__in=given, account=run.operation.account):
        keystore.take_in_new(row)
    return [keystore.open(key_id) for key_id in given]


def _new_key(run: Run, keystore: HeldKeys, role: str) -> PrivateKey:
    """Make the new key and keep it, or find the one an earlier attempt made; a root key is one for all repositories."""
    operation = run.operation
    with transaction.atomic():
        ChangeRequest.objects.select_for_update().get(pk=operation.parameters["request"])
        if operation.key is None and role == roles.ROOT:
            operation.key = _made_for(operation)
        if operation.key is None:
            private = PrivateKey.generate()
            keystore.add(private, role, str(repository_of(run).gun) if role == roles.TARGETS else None)
            operation.key = Key.objects.get(key_id=private.key_id)
        operation.save(update_fields=["key"])
    keystore.take_in_new(operation.key)
    return keystore.open(operation.key.key_id)


def _made_for(operation: Operation) -> Key | None:
    sibling = (
        Operation.objects.filter(
            kind=Operation.Kind.ROTATE,
            parameters__request=operation.parameters["request"],
            key__purpose=Key.Purpose.ROOT,
        )
        .select_related("key")
        .first()
    )
    return sibling.key if sibling else None
