"""Start the work an approval allows, one operation for each repository, and what failed of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from signing.approvals.keys import PURPOSES, SIGNER, passphrases_for
from signing.approvals.opening import previews_of
from signing.approvals.previews import ItemPreview
from signing.errors import NotAllowed, TooLate
from signing.models import ChangeRequest, ChangeRequestItem, Key, Operation, User
from signing.permissions import require
from signing.selectors.requests import is_for_signer, items_left, may_sign_for, passphrases_of
from signing.services import audit
from signing.services.requests.locking import locked
from signing.services.work import restart_operation, start_operation
from signing.trust.errors import InvalidInput

KINDS: dict[str, Operation.Kind] = {
    kind.value: Operation.Kind(kind) for kind in ChangeRequest.Kind if kind != ChangeRequest.Kind.CHANGE_POLICY
}


@transaction.atomic
def retry_request(
    *, actor: User, request: ChangeRequest, passphrases: Mapping[str, str] | None = None
) -> ChangeRequest:
    """Do what an approved request still lacks: what failed, and what waited for a signer's passphrase.

    What is done stays done. One set of passphrases serves all repositories.

    Raises:
        NotAllowed: it takes a signer's passphrase and this is not the signer, or it is not theirs to try again.
        TooLate: it is not approved, or nothing is left to do.
    """
    request = locked(request)
    items = items_left(request)
    needed = passphrases_of(items)
    if is_for_signer(request, items):
        _require_signer(actor, request, items)
    else:
        require(actor, "retry_request", request)
    if request.state != ChangeRequest.State.APPROVED:
        raise TooLate(f"The request is {request.state}, so there is nothing to do.")
    if not items:
        raise TooLate("Everything it asks for is done, or being done.")
    if any(item.operation is None for item in items) and timezone.now() >= request.expires_at:
        raise TooLate(
            f"The approval ended with the request on {request.expires_at:%Y-%m-%d}.", next_step="Ask for it again."
        )
    given = dict(passphrases or {})
    for purpose in needed:
        if not given.get(purpose):
            raise InvalidInput(f"The passphrase of the {purpose.replace('_', ' ')} key is needed to go on.")
    start_items(actor, request, given)
    audit.record(
        actor,
        "retry_request",
        account=request.account,
        subject=request.signer or request,
        request=request.pk,
        repositories=[item.repository.gun for item in items],
    )
    return request


def start_items(actor: User, request: ChangeRequest, given: Mapping[str, str], *, only_complete: bool = False) -> None:
    """Queue the work of every repository that has none or whose work failed; the caller authorised it.

    With `only_complete`, what takes a passphrase that is not given waits for it, and what is signed in a person's name
    waits for that person, unless they asked for it themselves.
    """
    if only_complete:
        given = {purpose: text for purpose, text in given.items() if purpose != SIGNER}
    for item in items_left(request):
        needed = passphrases_of([item])
        if only_complete and not (all(given.get(purpose) for purpose in needed) and _has_consent(actor, request, item)):
            continue
        secrets = {purpose: given[purpose] for purpose in needed}
        if item.operation and item.operation.state == Operation.State.FAILED:
            restart_operation(item.operation, actor=actor, secrets=secrets)
            continue
        signer = request.signer
        item.operation = start_operation(
            KINDS[request.kind],
            actor=actor,
            account=request.account,
            repository=item.repository,
            signer=signer,
            key=signer.key if signer else _key_that_comes(request),
            parameters={**request.parameters, "request": request.pk},
            secrets=secrets,
        )
        item.save(update_fields=["operation"])


def _key_that_comes(request: ChangeRequest) -> Key | None:
    """Give the key that a replacement puts in another one's place."""
    if request.kind != ChangeRequest.Kind.REPLACE_KEY:
        return None
    return Key.objects.filter(account=request.account_id, key_id=request.parameters["new"]).first()


def _has_consent(approver: User, request: ChangeRequest, item: ChangeRequestItem) -> bool:
    """Tell whether somebody who may sign with the key asked for it, or approves it now, or signs it themselves."""
    if request.kind != ChangeRequest.Kind.SIGN or (request.signer and not request.signer.key.is_held_here):
        return True
    people = [person for person in (approver, request.requested_by) if person is not None]
    return any(may_sign_for(person, request, [item]) for person in people)


def passphrases_to_start(request: ChangeRequest, previews: Sequence[ItemPreview] | None = None) -> list[str]:
    """List the passphrases that the work would take as it is now."""
    needed: set[str] = set()
    for item in previews_of(request) if previews is None else previews:
        if item.repository and request.kind != ChangeRequest.Kind.CHANGE_POLICY:
            needed |= {*passphrases_for(request.kind, item.repository, request.signer, request.parameters, item.lines)}
    return [purpose for purpose in PURPOSES if purpose in needed]


def _require_signer(actor: User, request: ChangeRequest, items: Sequence[ChangeRequestItem]) -> None:
    if not may_sign_for(actor, request, items):
        name = request.signer.name if request.signer else "the signer"
        raise NotAllowed(
            f"This signs with the key of {name}, so {name} has to go on.",
            next_step="Send them this request's address.",
        )
