"""Requests a person may see, what they would do, and what deciding about them takes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from signing.approvals.content import barred_from, votes_of
from signing.approvals.keys import PURPOSES, SIGNER, passphrases_for
from signing.approvals.opening import items_of, needed_for, previews_of
from signing.approvals.people import accounts_of, person_of
from signing.approvals.policies import strictest
from signing.approvals.previews import ItemPreview, Problem, policy_lines
from signing.models import ChangeRequest, ChangeRequestItem, Decision, Membership, Operation, Policy, User
from signing.permissions import may
from signing.roles import LEADS
from signing.selectors.reach import Reach
from signing.trust.notary.lines import LEFT_OUT
from signing.trust.policy.quorum import approvers, may_vote

__all__ = (
    "LEFT_OUT",
    "ItemPreview",
    "Problem",
    "Quorum",
    "anything_is_open",
    "passphrases_needed",
    "preview_of",
    "visible_requests",
    "waiting_for",
)

Kind = ChangeRequest.Kind
AGAIN = (Operation.State.FAILED, Operation.State.CANCELLED)
ASKING: dict[str, str] = {
    Kind.ADD_SIGNER: "request_signer",
    Kind.REMOVE_SIGNER: "request_signer_removal",
    Kind.SIGN: "request_signature",
    Kind.REVOKE: "request_revocation",
    Kind.ROTATE: "request_rotation",
    Kind.REPLACE_KEY: "request_rotation",
    Kind.CHANGE_POLICY: "request_policy",
}
"""What somebody has to be allowed who asks for a change of each kind."""


def visible_requests(user: User) -> QuerySet[ChangeRequest]:
    """List the requests of the person's accounts and of their repositories, newest first."""
    requests = ChangeRequest.objects.select_related(
        "account__trust_server", "signer__account", "signer__key", "signer__user", "requested_by"
    ).prefetch_related("items__repository", "items__operation", "decisions__by")
    return requests.filter(Reach(user).requests()).order_by("-created_at", "-pk")


def waiting_for(user: User) -> QuerySet[ChangeRequest]:
    """List the requests that wait for this person: to decide, or to go on with as their signer.

    Not their own under whichever account, not decided by them for what is asked now, not expired.
    """
    if user.is_machine:
        return ChangeRequest.objects.none()
    seen = visible_requests(user).filter(expires_at__gt=timezone.now())
    same = accounts_of(user)
    now = Q(content_hash=F("request__content_hash")) | Q(approves=False)
    decided = Decision.objects.filter(now, by__in=same).values("request")
    own = (
        Q(requested_by__in=same)
        | Q(asked_through__created_by__in=same)
        | Q(kind=Kind.ADD_SIGNER, signer__user__in=same)
        | Q(pk__in=decided)
    )
    to_decide = seen.filter(Reach(user, LEADS).requests(), state=ChangeRequest.State.WAITING).exclude(own)
    to_sign = seen.filter(
        state=ChangeRequest.State.APPROVED,
        kind__in=(Kind.SIGN, Kind.REVOKE),
        signer__user=user,
        items__operation=None,
    )
    both = Q(pk__in=to_decide.order_by().values("pk")) | Q(pk__in=to_sign.order_by().values("pk"))
    return visible_requests(user).filter(both)


def anything_is_open() -> bool:
    """Tell whether any request of anybody may wait for somebody: the quick look before `waiting_for`."""
    open_states = (ChangeRequest.State.WAITING, ChangeRequest.State.APPROVED)
    return ChangeRequest.objects.filter(state__in=open_states, expires_at__gt=timezone.now()).exists()


def preview_of(request: ChangeRequest) -> list[ItemPreview]:
    """Work out what each part of a request would do now; one without a repository is about the account."""
    return previews_of(request)


def decided_policy_lines(request: ChangeRequest) -> list[tuple[str, ...]]:
    """Give the lines of a policy change as it was asked for; none for other kinds."""
    if request.kind != Kind.CHANGE_POLICY:
        return []
    return [policy_lines(request.parameters["before"], request.parameters["policy"])]


def policy_for(request: ChangeRequest) -> Policy:
    """Give what the request has to pass: the strictest of its repositories' policies."""
    return strictest(request.account, [item.repository for item in request.items.select_related("repository__account")])


def passphrases_needed(request: ChangeRequest) -> list[str]:
    """List the passphrases the last approval has to bring: of "root", "new_root" and "repository".

    A signer's passphrase is not among them: only the signer gives it, after the approval.
    """
    if request.kind == Kind.CHANGE_POLICY:
        return []
    needed: set[str] = set()
    for item in items_of(request):
        needed |= set(passphrases_of_item(item))
    return [purpose for purpose in PURPOSES if purpose in needed and purpose != SIGNER]


def passphrases_of_item(item: ChangeRequestItem) -> list[str]:
    """List the passphrases the work on one repository takes."""
    request = item.request
    return passphrases_for(request.kind, item.repository, request.signer, request.parameters, item.diff)


def passphrases_of_operation(operation: Operation) -> list[str]:
    """List the passphrases that trying the work of a request again takes."""
    item = ChangeRequestItem.objects.select_related("request__signer__key", "repository__account").filter(
        request=operation.parameters.get("request"), repository=operation.repository
    )
    found = item.first()
    return passphrases_of_item(found) if found else []


def needs_proof(request: ChangeRequest) -> bool:
    """Tell whether the signer has yet to show that they hold the key, before anybody can approve."""
    signer = request.signer
    return (
        request.kind == Kind.ADD_SIGNER
        and signer is not None
        and not signer.key.is_held_here
        and request.proved_at is None
        and policy_for(request).requires_possession
    )


@dataclass(frozen=True, slots=True)
class Quorum:
    """How far a request is: how many approvals count, how many it needs, and who may still give one."""

    counted: int
    needed: int
    deciders: tuple[User, ...]

    @property
    def missing(self) -> int:
        """How many approvals are lacking."""
        return max(0, self.needed - self.counted)


def quorum_of(request: ChangeRequest) -> Quorum:
    """Tell how far a request is. Those named are the leads; administrators of the installation may as well."""
    barred, votes = barred_from(request), votes_of(request)
    counted = approvers(votes, barred=barred, content=request.content_hash)
    needed = max(request.needed_approvals, needed_for(request.kind, policy_for(request)))
    leads = User.objects.filter(
        pk__in=Membership.objects.filter(account=request.account, role__in=LEADS).values("user"), is_active=True
    ).order_by("username")
    free = [
        user
        for user in leads
        if may(user, "decide_request", request)
        and may_vote(person_of(user), votes, barred=barred, content=request.content_hash)
    ]
    return Quorum(len(counted), needed, tuple(free))


def can_decide(user: User, request: ChangeRequest) -> bool:
    """Tell whether this person's decision would count now."""
    return (
        request.state == ChangeRequest.State.WAITING
        and request.expires_at > timezone.now()
        and may(user, "decide_request", request)
        and may_vote(person_of(user), votes_of(request), barred=barred_from(request), content=request.content_hash)
    )


def is_asking_side(user: User, request: ChangeRequest) -> bool:
    """Tell whether this person asked, under whichever account, or gains by it, so that their approval never counts."""
    return person_of(user) in barred_from(request)


def may_ask_for(user: User, request: ChangeRequest) -> bool:
    """Tell whether this person may ask for the same."""
    action = ASKING[request.kind]
    items = list(request.items.select_related("repository__account"))
    return all(may(user, action, item.repository) for item in items) if items else may(user, action, request.account)


def items_left(request: ChangeRequest) -> list[ChangeRequestItem]:
    """List the repositories where the work has not begun, failed or was cancelled."""
    return [item for item in items_of(request) if item.operation is None or item.operation.state in AGAIN]


def passphrases_of(items: Sequence[ChangeRequestItem]) -> list[str]:
    """List the passphrases that the work on these repositories takes, as it was approved; a signer's too."""
    needed = {purpose for item in items for purpose in passphrases_of_item(item)}
    return [purpose for purpose in PURPOSES if purpose in needed]


def may_go_on(user: User, request: ChangeRequest, items: Sequence[ChangeRequestItem]) -> bool:
    """Tell whether this person may do what is left."""
    if is_for_signer(request, items):
        return may_sign_for(user, request, items)
    return may(user, "retry_request", request)


def is_for_signer(request: ChangeRequest, items: Sequence[ChangeRequestItem]) -> bool:
    """Tell whether only the signer goes on: to sign in their name, or because their key asks for its passphrase."""
    if request.kind == Kind.REPLACE_KEY:
        return False  # whoever goes on brings the passphrase of the key that comes
    return request.kind == Kind.SIGN or SIGNER in passphrases_of(items)


def may_sign_for(user: User, request: ChangeRequest, items: Sequence[ChangeRequestItem]) -> bool:
    """Tell whether this person may use the key of the request's signer in all of these repositories."""
    return request.signer is not None and all(
        may(user, "sign_with", request.signer, at=item.repository) for item in items
    )


def possession_command(request: ChangeRequest) -> str:
    """Give the command with which the signer's holder signs the challenge; empty where there is none."""
    if not request.challenge or request.signer is None:
        return ""
    return f"trustctl possession sign {shlex.quote(request.challenge)} --key {request.signer.key.key_id[:12]}"


def openssl_command(request: ChangeRequest) -> str:
    """Give the command of who has the key as a PEM file and no trustctl; empty where there is none."""
    if not request.challenge or request.signer is None or request.signer.key.keytype == "ed25519":
        return ""
    text, file = shlex.quote(request.challenge), shlex.quote(f"{request.signer.name}.key")
    return f"printf %s {text} | openssl dgst -sha256 -sign {file} | base64"
