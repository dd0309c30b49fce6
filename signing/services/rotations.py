"""Replace a key everywhere: plan it, ask for it, and stop, go on with or drop what was begun.

The quorum is an ordinary request of the kind `replace_key`: its approvals are for the lines of every repository and
for the two keys. What it starts is one operation for each repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from signing import queue, rotations
from signing.approvals.opening import open_request
from signing.approvals.previews import Asked, ItemPreview, preview
from signing.errors import Conflict, TooLate
from signing.freezing import needs_step_up, require_not_frozen
from signing.models import ChangeRequest, Key, Operation, Repository, Rotation, RotationStep, User
from signing.permissions import acting_token, require
from signing.selectors.rotations import candidates_for, radius_of, repositories_naming
from signing.services import audit
from signing.services.freezing import freeze
from signing.services.requests import retry_request, withdraw_request
from signing.services.work import start_operation
from signing.trust.errors import InvalidInput

State = Rotation.State
Reason = Rotation.Reason
MINIMUM_PASSPHRASE = 8


def plan_rotation(
    *,
    actor: User,
    key: Key,
    reason: str,
    replacement: Key | None = None,
    passphrase: str | None = None,
    unattended: bool = False,
) -> Rotation:
    """Begin to replace a key: by one that is here, or else by a new one that the signing worker makes now.

    A compromised key is frozen first. A new key that signs unattended takes no passphrase.

    Raises:
        Conflict: it is being replaced already, nothing names it, or the policy wants it frozen with a passkey first.
        InvalidInput: that key cannot take its place, or a passphrase is missing.
    """
    require(actor, "replace_key", key)
    require_not_frozen(account=key.account, person=actor)
    _check(key, reason, replacement, passphrase, unattended=unattended)
    if reason == Reason.COMPROMISED:
        _freeze_first(actor, key)
    return _plan(actor, key, Reason(reason), replacement, passphrase, unattended=unattended)


@transaction.atomic
def request_replacement(*, actor: User, rotation: Rotation, comment: str = "") -> ChangeRequest:
    """Ask for what the plan says; another person approves it.

    Raises:
        Conflict: the new key is not there yet.
        TrustError: whatever makes one of the steps impossible.
    """
    rotation = _locked(actor, rotation, State.DRAFT)
    if rotation.replacement is None:
        raise Conflict("The new key is not there yet.", next_step="Wait until the signing worker has made it.")
    require_not_frozen(account=rotation.key.account, person=actor, key=rotation.replacement)
    previews = previews_of(rotation)
    for item in previews:
        if item.problem:
            raise item.problem.error
    wanted = [item.repository for item in previews if item.repository and item.lines]
    if not wanted:
        raise Conflict("No repository names the key any more.", next_step="Drop this plan; nothing is left to do.")
    rotation.steps.exclude(repository__in=wanted).delete()
    rotation.request = open_request(
        ChangeRequest.Kind.REPLACE_KEY,
        account=rotation.key.account,
        requested_by=actor,
        repositories=wanted,
        parameters=parameters_of(rotation),
        reason=comment or rotation.get_reason_display(),
        asked_through=acting_token(actor),
    )
    rotation.state = State.WAITING
    rotation.save(update_fields=["request", "state"])
    audit.record(
        actor,
        "request_replacement",
        account=rotation.key.account,
        subject=rotation.key,
        reason=comment,
        rotation=rotation.pk,
        request=rotation.request.pk,
        new=rotation.replacement.key_id,
        repositories=[repository.gun for repository in wanted],
    )
    return rotation.request


@transaction.atomic
def pause_rotation(*, actor: User, rotation: Rotation) -> Rotation:
    """Let no further step begin; what runs ends first."""
    rotation = _locked(actor, rotation, State.RUNNING)
    paused = _operations(rotation).filter(state=Operation.State.QUEUED).update(state=Operation.State.PAUSED)
    if not paused:
        raise TooLate("No step waits any more.", next_step="Wait for those that run.")
    audit.record(actor, "pause_rotation", account=rotation.key.account, subject=rotation.key, rotation=rotation.pk)
    return _settled(rotation)


@transaction.atomic
def resume_rotation(*, actor: User, rotation: Rotation) -> Rotation:
    """Go on with the steps that were paused."""
    rotation = _locked(actor, rotation, State.PAUSED)
    require_not_frozen(account=rotation.key.account, person=actor)
    for operation in _operations(rotation).filter(state=Operation.State.PAUSED):
        Operation.objects.filter(pk=operation.pk).update(state=Operation.State.QUEUED)
        queue.enqueue(operation.step, operation.pk)
    audit.record(actor, "resume_rotation", account=rotation.key.account, subject=rotation.key, rotation=rotation.pk)
    return _settled(rotation)


@transaction.atomic
def retry_rotation(*, actor: User, rotation: Rotation, passphrases: Mapping[str, str] | None = None) -> Rotation:
    """Do what failed again, and what waits for a passphrase; what is done stays done."""
    rotation = _locked(actor, rotation, State.RUNNING, State.FAILED)
    if rotation.request is None:
        raise TooLate("Nobody has asked for it yet.")
    retry_request(actor=actor, request=rotation.request, passphrases=passphrases)
    return _settled(rotation)


@transaction.atomic
def drop_rotation(*, actor: User, rotation: Rotation) -> Rotation:
    """Give a plan up before any of it is done. A key that was made for it stays, and signs nothing."""
    rotation = _locked(actor, rotation, State.DRAFT, State.WAITING)
    if rotation.request is not None:
        withdraw_request(actor=actor, request=rotation.request)
    else:
        audit.record(actor, "drop_rotation", account=rotation.key.account, subject=rotation.key, rotation=rotation.pk)
    rotation.state = State.DROPPED
    rotation.save(update_fields=["state"])
    return rotation


def parameters_of(rotation: Rotation) -> dict[str, Any]:
    """Give what is asked: which key goes, which comes, and why."""
    return {
        "old": rotation.key.key_id,
        "new": rotation.replacement.key_id if rotation.replacement else "",
        "name": rotation.key.name,
        "reason": rotation.reason,
    }


def previews_of(rotation: Rotation) -> list[ItemPreview]:
    """Work out what each step of a plan would do now."""
    asked = Asked(ChangeRequest.Kind.REPLACE_KEY, None, parameters_of(rotation))
    steps = rotation.steps.select_related("repository__account").prefetch_related("repository__account__keys")
    return [preview(asked, step.repository) for step in steps if step.repository]


def _check(key: Key, reason: str, replacement: Key | None, passphrase: str | None, *, unattended: bool) -> None:
    if reason not in Reason.values:
        raise InvalidInput("Say why: planned, lost or compromised.")
    if key.rotations.filter(state__in=rotations.OPEN).exists():
        raise Conflict("This key is being replaced already.", next_step="Go on with that, or drop it first.")
    if replacement is not None:
        if replacement not in candidates_for(key):
            raise InvalidInput("That key cannot take its place.", next_step="Choose another one, or have one made.")
        require_not_frozen(key=replacement)
    elif not unattended and len(passphrase or "") < MINIMUM_PASSPHRASE:
        raise InvalidInput(f"The new key needs a passphrase of at least {MINIMUM_PASSPHRASE} characters.")
    if not repositories_naming(key):
        raise Conflict(
            "No repository's verified trust data names this key.",
            next_step="Nothing needs to be replaced: freeze the key, and use another one from now on.",
        )


def _freeze_first(actor: User, key: Key) -> None:
    if key.freezes.filter(lifted_at=None).exists():
        return
    if needs_step_up(key):
        raise Conflict(
            "The policy wants a compromised key frozen with a passkey first.", next_step="Freeze the key, then go on."
        )
    freeze(actor=actor, reason="Compromised: it is being replaced.", key=key)


@transaction.atomic
def _plan(
    actor: User, key: Key, reason: Reason, replacement: Key | None, passphrase: str | None, *, unattended: bool
) -> Rotation:
    Key.objects.select_for_update().get(pk=key.pk)  # of two at the same moment one comes second
    if key.rotations.filter(state__in=rotations.OPEN).exists():
        raise Conflict("This key is being replaced already.", next_step="Go on with that, or drop it first.")
    radius = radius_of(key)
    rotation = Rotation.objects.create(
        key=key, replacement=replacement, reason=reason, asked_by=actor, radius=radius.as_json()
    )
    for position, place in enumerate(radius.places, start=1):
        _add_step(rotation, position, place.repository, list(place.tags), [use.role for use in place.uses])
    operation = None
    if replacement is None:
        operation = start_operation(
            Operation.Kind.GENERATE_KEY,
            actor=actor,
            account=key.account,
            parameters={
                "purpose": key.purpose,
                "name": key.name,
                "unattended": unattended,
                "rotation": rotation.pk,
            },
            secrets={"signer": passphrase} if passphrase else {},
        )
    audit.record(
        actor,
        "plan_rotation",
        account=key.account,
        subject=key,
        reason=reason.label,
        key=key.key_id,
        rotation=rotation.pk,
        new=replacement.key_id if replacement else "",
        operation=operation.pk if operation else None,
        repositories=[place.repository.gun for place in radius.places],
    )
    return rotation


def _add_step(rotation: Rotation, position: int, repository: Repository, tags: list[str], roles: list[str]) -> None:
    RotationStep.objects.create(
        rotation=rotation, position=position, repository=repository, role=", ".join(roles)[:255], tags=tags, command=""
    )


def _operations(rotation: Rotation) -> Any:
    parameters = {"parameters__request": rotation.request_id}
    return Operation.objects.filter(kind=Operation.Kind.REPLACE_KEY, **parameters)


def _locked(actor: User, rotation: Rotation, *states: State) -> Rotation:
    require(actor, "replace_key", rotation.key)
    rotations.settle(rotation.pk)
    found = (
        Rotation.objects.select_for_update(of=("self",))
        .select_related("key__account", "key__owner", "replacement__account", "replacement__owner", "request")
        .get(pk=rotation.pk)
    )
    if found.state not in states:
        raise TooLate(f"This replacement is {found.get_state_display().lower()}.")
    return found


def _settled(rotation: Rotation) -> Rotation:
    return rotations.settle(rotation.pk) or rotation
