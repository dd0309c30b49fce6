"""What is frozen: nothing new is signed with a key, in an account or by a person until an administrator lifts it.

Services ask before anybody is asked or any work is queued; the signing worker asks at the start of each step and again
whenever a private key is opened. It reads rows only, each time anew: what was frozen a moment ago counts at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.db.models import Q, QuerySet

from signing.approvals.people import accounts_of
from signing.errors import Frozen
from signing.models import Account, ChangeRequest, Freeze, Key, Operation, Policy, User

READS_ONLY = (Operation.Kind.REFRESH, Operation.Kind.PULL)
NOTHING = Q(pk__in=())


def freezes_on(
    *, key: Key | None = None, account: Account | None = None, person: User | None = None
) -> QuerySet[Freeze]:
    """List the freezes that stop a key (its own, its owner's, its account's), an account or a person, newest first.

    A person is frozen under each of their accounts.
    """
    stopped = NOTHING
    if key is not None:
        stopped |= Q(key=key) | Q(account=key.account_id) | _person(key.owner)
    if account is not None:
        stopped |= Q(account=account)
    return in_force().filter(stopped | _person(person))


def in_force() -> QuerySet[Freeze]:
    """List the freezes that nobody has lifted."""
    return Freeze.objects.filter(lifted_at=None).select_related("key", "account", "person", "by")


def is_frozen(*, key: Key | None = None, account: Account | None = None, person: User | None = None) -> bool:
    """Tell whether anything stops one of these."""
    return freezes_on(key=key, account=account, person=person).exists()


def require_not_frozen(*, key: Key | None = None, account: Account | None = None, person: User | None = None) -> None:
    """Raise where one of these is stopped.

    Raises:
        Frozen: it names what is frozen, and why.
    """
    if freeze := freezes_on(key=key, account=account, person=person).first():
        raise refusal(freeze)


def freezes_on_work(operation: Operation) -> QuerySet[Freeze]:
    """List the freezes that stop a piece of work.

    Those of its account, of the key and the signer it uses, of whoever started it, and of the people who asked for it
    or approved it. What only reads goes on, and so does what has signed already and only ends.
    """
    if operation.kind in READS_ONLY or operation.is_signature_stored:
        return Freeze.objects.none()
    keys = [key for key in (operation.key, operation.signer.key if operation.signer else None) if key]
    people = [operation.requested_by, operation.signer.user if operation.signer else None]
    people += [key.owner for key in keys]
    people += _asked_and_approved(operation.parameters.get("request"))
    stopped = Q(key__in=keys) | _persons(people)
    if operation.account_id is not None:
        stopped |= Q(account=operation.account_id)
    return in_force().filter(stopped)


def require_work_not_frozen(operation: Operation) -> None:
    """Raise where a piece of work is stopped.

    Raises:
        Frozen: it names what is frozen, and why.
    """
    if freeze := freezes_on_work(operation).first():
        raise refusal(freeze)


def refusal(freeze: Freeze) -> Frozen:
    """Say what is frozen, and why."""
    return Frozen(f"{name_of(freeze)} is frozen: {freeze.reason}", freeze=freeze.pk)


def name_of(freeze: Freeze) -> str:
    """Name what is frozen, at the beginning of a sentence."""
    if freeze.key is not None:
        return f"The key {freeze.key}"
    return f"The account {freeze.account}" if freeze.account is not None else f"{freeze.person}"


def _person(person: User | None) -> Q:
    return NOTHING if person is None else Q(person__in=accounts_of(person))


def _persons(people: Iterable[User | None]) -> Q:
    found = NOTHING
    for person in {one.pk: one for one in people if one is not None}.values():
        found |= _person(person)
    return found


def _asked_and_approved(request_id: int | None) -> list[User | None]:
    request = ChangeRequest.objects.filter(pk=request_id).select_related("requested_by").first() if request_id else None
    if request is None:
        return []
    approvals = request.decisions.filter(approves=True).select_related("by")
    return [request.requested_by, *(decision.by for decision in approvals)]


def act_hash(act: str, thing: Key | Account | User) -> str:
    """Hash what a passkey confirms here: to freeze this thing, or to lift its freeze. sha256, hex."""
    return hashlib.sha256(f"trustui {act} 1|{thing._meta.model_name}|{thing.pk}".encode()).hexdigest()


def needs_step_up(thing: Key | Account | User) -> bool:
    """Tell whether a policy where the thing counts wants such a decision confirmed by passkey."""
    policies = Policy.objects.filter(requires_step_up=True)
    if isinstance(thing, User):
        return policies.filter(account__memberships__user=thing).exists()
    return policies.filter(account=thing if isinstance(thing, Account) else thing.account).exists()
