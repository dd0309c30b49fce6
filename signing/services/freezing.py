"""Freeze a key, an account or a person, and lift it again. The emergency stop: it is in force before it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.approvals.people import accounts_of
from signing.endings import end_operation
from signing.errors import Conflict, NotAllowed, StepUpRefused, TooLate
from signing.freezing import READS_ONLY, act_hash, in_force, name_of, needs_step_up, refusal
from signing.models import Account, ChangeRequest, Event, Freeze, Key, Operation, User
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import InvalidInput

if TYPE_CHECKING:
    from signing.step_up import StepUp

LONGEST_REASON = 500
WAITING = (Operation.State.QUEUED, Operation.State.PAUSED, Operation.State.NEEDS_SIGNATURE)


def freeze(
    *,
    actor: User,
    reason: str,
    key: Key | None = None,
    account: Account | None = None,
    person: User | None = None,
    step_up: StepUp | None = None,
) -> Freeze:
    """Stop one key, account or person at once, and end the work that waits for it.

    It is committed before the queue is looked through, so that workers refuse whatever they still take out of it. What
    runs stops before its next signature; what was signed already stays, and a publish whose signature is stored ends.

    Raises:
        Conflict: it is frozen already.
        InvalidInput: no reason is given.
        StepUpRefused: the policy wants a passkey's word for it.
    """
    thing = _only(key, account, person)
    require(actor, "freeze", thing)
    _require_stepped_up(actor, "freeze", thing, step_up)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise InvalidInput("Say why, in a few words.", next_step="Whoever meets the freeze reads the reason.")
    with transaction.atomic():
        thing.__class__.objects.select_for_update().get(pk=thing.pk)  # of two at the same moment one comes second
        if in_force().filter(key=key, account=account, person=person).exists():
            raise Conflict("That is frozen already.", next_step="Nothing new is signed; look who froze it, and why.")
        made = Freeze.objects.create(key=key, account=account, person=person, reason=reason, by=actor)
        _announce(made, actor, f"{name_of(made)} is frozen by {actor}: {reason}", is_lifted=False)
        audit.record(
            actor,
            "freeze",
            account=account or (key.account if key else None),
            subject=thing,
            reason=reason,
            freeze=made.pk,
            stepped_up=step_up is not None,
        )
    _end_waiting(made)
    return made


@transaction.atomic
def lift_freeze(*, actor: User, freeze: Freeze, reason: str = "", step_up: StepUp | None = None) -> Freeze:
    """Let signing go on. Only an administrator may, and never the person who is frozen.

    Work that the freeze ended is not begun again by itself: whoever wants it tries it again.

    Raises:
        NotAllowed: this is the frozen person, under whichever of their accounts, or no administrator.
        TooLate: it is lifted already.
    """
    freeze = Freeze.objects.select_for_update(of=("self",)).get(pk=freeze.pk)
    thing = _only(freeze.key, freeze.account, freeze.person)
    require(actor, "lift_freeze", thing)
    if freeze.person_id in accounts_of(actor):
        raise NotAllowed("You are the one who is frozen.", next_step="Ask another administrator to lift it.")
    if freeze.lifted_at is not None:
        raise TooLate("This freeze is lifted already.")
    _require_stepped_up(actor, "lift", thing, step_up)
    freeze.lifted_by, freeze.lifted_at = actor, timezone.now()
    freeze.save(update_fields=["lifted_by", "lifted_at"])
    _announce(freeze, actor, f"{name_of(freeze)} is not frozen any more: {actor} lifted it.", is_lifted=True)
    audit.record(
        actor,
        "lift_freeze",
        account=freeze.account or (freeze.key.account if freeze.key else None),
        subject=thing,
        reason=reason,
        freeze=freeze.pk,
        stepped_up=step_up is not None,
    )
    return freeze


def _only(key: Key | None, account: Account | None, person: User | None) -> Key | Account | User:
    given: list[Key | Account | User] = [thing for thing in (key, account, person) if thing is not None]
    if len(given) != 1:
        raise InvalidInput("Name one key, one account or one person.")
    return given[0]


def _require_stepped_up(actor: User, act: str, thing: Key | Account | User, step_up: StepUp | None) -> None:
    if step_up is not None and not step_up.proves(actor, thing, act_hash(act, thing)):
        raise StepUpRefused("The passkey confirmed something else.")
    if step_up is None and needs_step_up(thing):
        raise StepUpRefused(
            "The policy wants this confirmed with a passkey.", next_step="Confirm it with your passkey."
        )


def _announce(freeze: Freeze, actor: User, subject: str, *, is_lifted: bool) -> None:
    owner = freeze.person or (freeze.key.owner if freeze.key else None)
    announce(
        Event.FROZEN,
        subject=subject,
        path=addresses.freezes(),
        account=freeze.account or (freeze.key.account if freeze.key else None),
        actor=actor,
        freeze=freeze.pk,
        is_lifted=is_lifted,
        owner=owner.pk if owner else None,
    )


def _end_waiting(freeze: Freeze) -> None:
    """End what waits, one by one; what is not reached in time is refused by the worker that takes it."""
    error = refusal(freeze)
    for operation in _stopped_by(freeze).select_related("repository", "account").order_by("created_at"):
        if operation.is_signature_stored:
            continue
        rows = Operation.objects.filter(pk=operation.pk, state__in=WAITING)
        fields: dict[str, Any] = {"error_code": error.code, "error": error.message, "next_step": error.next_step}
        with transaction.atomic():
            if end_operation(operation, rows, Operation.State.FAILED, **fields):
                operation.lines.create(text=error.message)


def _stopped_by(freeze: Freeze) -> QuerySet[Operation]:
    waiting = Operation.objects.filter(state__in=WAITING).exclude(kind__in=READS_ONLY)
    if freeze.account is not None:
        return waiting.filter(account=freeze.account)
    if freeze.key is not None:
        return waiting.filter(Q(key=freeze.key) | Q(signer__key=freeze.key))
    same = accounts_of(freeze.person) if freeze.person else frozenset[int]()
    theirs = Q(requested_by__in=same) | Q(decisions__by__in=same, decisions__approves=True)
    requests = list(ChangeRequest.objects.filter(theirs).values_list("pk", flat=True).distinct())
    return waiting.filter(
        Q(requested_by__in=same)
        | Q(key__owner__in=same)
        | Q(signer__user__in=same)
        | Q(signer__key__owner__in=same)
        | Q(parameters__request__in=requests)
    )
