"""How far the replacement of a key is: its state follows from its request and the work on each repository.

Both sides read and write it: services when people ask, pause and resume, the signing worker when a step ends.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from signing import addresses, chain
from signing.announcing import announce
from signing.models import ChangeRequest, Event, Key, Operation, Rotation, RotationStep, Signer

State = Rotation.State
OPEN = (State.DRAFT, State.WAITING, State.RUNNING, State.PAUSED, State.FAILED)
BUSY = (Operation.State.QUEUED, Operation.State.RUNNING, Operation.State.NEEDS_SIGNATURE)

_STEPS = {
    Operation.State.DONE: RotationStep.State.DONE,
    Operation.State.FAILED: RotationStep.State.FAILED,
    Operation.State.CANCELLED: RotationStep.State.FAILED,
    Operation.State.RUNNING: RotationStep.State.RUNNING,
    Operation.State.NEEDS_SIGNATURE: RotationStep.State.RUNNING,
}
_REFUSED = (ChangeRequest.State.REJECTED, ChangeRequest.State.EXPIRED, ChangeRequest.State.WITHDRAWN)


@transaction.atomic
def settle(pk: int) -> Rotation | None:
    """Bring a replacement's state and that of its steps in line with what became of them; None if it is gone.

    With the first repository that is done, TrustUI's signers sign with the new key. The end is told once.
    """
    rotation = Rotation.objects.select_for_update(of=("self",)).select_related("key", "request").filter(pk=pk).first()
    if rotation is None or rotation.state in (State.DONE, State.DROPPED):
        return rotation
    done = _settle_steps(rotation)
    if done:
        _hand_over(rotation)
    state = _state_of(rotation)
    if state == rotation.state:
        return rotation
    rotation.state = state
    if state == State.DONE:
        rotation.finished_at = timezone.now()
        _tell(rotation)
    rotation.save(update_fields=["state", "finished_at"])
    return rotation


def keep_proof(pk: int, gun: str, proof: dict[str, Any]) -> None:
    """Write what a fresh client saw of one repository."""
    with transaction.atomic():
        rotation = Rotation.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if rotation is not None:
            rotation.proof = {**rotation.proof, gun: proof}
            rotation.save(update_fields=["proof"])


def _settle_steps(rotation: Rotation) -> bool:
    request = rotation.request
    items = (
        {item.repository_id: item.operation for item in request.items.select_related("operation")} if request else {}
    )
    steps = list(rotation.steps.all())
    for step in steps:
        operation = items.get(step.repository_id or 0)
        state = _STEPS.get(Operation.State(operation.state), RotationStep.State.WAITING) if operation else step.state
        if (step.operation, step.state) != (operation, state):
            step.operation, step.state = operation, state
            step.save(update_fields=["operation", "state"])
    return any(step.state == RotationStep.State.DONE for step in steps)


def _state_of(rotation: Rotation) -> State:
    request = rotation.request
    if request is None:
        return State.DRAFT
    if request.state == ChangeRequest.State.WAITING:
        return State.WAITING
    if request.state in _REFUSED:
        return State.DROPPED
    states = [step.operation.state if step.operation else "" for step in rotation.steps.select_related("operation")]
    if all(state == Operation.State.DONE for state in states):
        return State.DONE
    if Operation.State.PAUSED in states:
        return State.PAUSED
    return State.RUNNING if any(state in BUSY for state in states) or "" in states else State.FAILED


def _hand_over(rotation: Rotation) -> None:
    """Let the signers of the old key sign with the new one from here on."""
    if rotation.replacement_id and rotation.key.purpose == Key.Purpose.SIGNER:
        Signer.objects.filter(key=rotation.key).update(key=rotation.replacement_id)


def _tell(rotation: Rotation) -> None:
    tags = sum(len(step.tags) for step in rotation.steps.all())
    detail: dict[str, Any] = {
        "rotation": rotation.pk,
        "old": rotation.key.key_id,
        "new": rotation.replacement.key_id if rotation.replacement else "",
        "repositories": sorted(rotation.proof),
        "tags": tags,
    }
    chain.append(
        actor=None, action="replace_key", account=rotation.key.account, subject=str(rotation.key), detail=detail
    )
    announce(
        Event.SIGNED,
        subject=f"The key {rotation.key} is replaced: it verifies nothing any more, and {tags} tags are signed anew.",
        path=addresses.rotation(rotation),
        account=rotation.key.account,
        request=rotation.request,
        **detail,
    )
