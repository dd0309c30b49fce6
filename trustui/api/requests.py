"""Requests: what waits, what one would do, and the decision about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing import step_up as passkeys
from signing.models import ChangeRequest, ChangeRequestItem, Decision
from signing.selectors import requests as selectors
from signing.selectors.requests import visible_requests, waiting_for
from signing.services import requests as services
from trustui.api.base import ApiRequest, Body, Id, PageOf, Paging, Reason, Secret, Text, found, page, words

router = Router()

State = ChangeRequest.State
Kind = Annotated[ChangeRequest.Kind, words(ChangeRequest.Kind)]
StateName = Annotated[ChangeRequest.State, words(State)]
Passphrases = Annotated[
    dict[Literal["root", "new_root", "repository", "signer"], Secret],
    Field(max_length=4, default_factory=dict, description="by the purpose of the key; see passphrases_needed"),
]


class RequestOut(Schema):
    """What somebody asks for and how far it is."""

    id: int
    kind: Kind
    state: StateName
    account: str
    signer: str | None
    parameters: dict[str, Any]
    reason: str
    requested_by: str | None
    needed_approvals: int
    content_hash: str
    signer_ends_at: datetime | None
    created_at: datetime
    expires_at: datetime

    @staticmethod
    def resolve_account(request: ChangeRequest) -> str:
        return request.account.name

    @staticmethod
    def resolve_signer(request: ChangeRequest) -> str | None:
        return request.signer.name if request.signer else None

    @staticmethod
    def resolve_requested_by(request: ChangeRequest) -> str | None:
        return request.requested_by.username if request.requested_by else None


class ItemOut(Schema):
    """One repository of a request: what changes in it, and the work that approving caused."""

    repository: str
    diff: list[str]
    affected_tags: list[str]
    operation: int | None
    operation_state: str | None

    @staticmethod
    def resolve_repository(item: ChangeRequestItem) -> str:
        return item.repository.gun

    @staticmethod
    def resolve_operation(item: ChangeRequestItem) -> int | None:
        return item.operation_id

    @staticmethod
    def resolve_operation_state(item: ChangeRequestItem) -> str | None:
        return item.operation.state if item.operation else None


class DecisionOut(Schema):
    """One person's yes or no, and to which content."""

    by: str
    approves: bool
    comment: str
    content_hash: str
    stepped_up: bool
    at: datetime

    @staticmethod
    def resolve_by(decision: Decision) -> str:
        return decision.by.username


class RequestDetail(RequestOut):
    """The same with its repositories and decisions, and what it lacks.

    `missing_approvals` counts those still needed; `challenge` is what the signer has to sign where `needs_proof`.
    """

    items: list[ItemOut]
    decisions: list[DecisionOut]
    missing_approvals: int
    passphrases_needed: list[str]
    needs_proof: bool
    challenge: str

    @staticmethod
    def resolve_items(request: ChangeRequest) -> list[ChangeRequestItem]:
        return list(request.items.all())

    @staticmethod
    def resolve_decisions(request: ChangeRequest) -> list[Decision]:
        return list(request.decisions.all())

    @staticmethod
    def resolve_missing_approvals(request: ChangeRequest) -> int:
        return selectors.quorum_of(request).missing if request.state == State.WAITING else 0

    @staticmethod
    def resolve_passphrases_needed(request: ChangeRequest) -> list[str]:
        if request.state == State.APPROVED:
            return selectors.passphrases_of(selectors.items_left(request))
        return selectors.passphrases_needed(request) if request.state == State.WAITING else []

    @staticmethod
    def resolve_needs_proof(request: ChangeRequest) -> bool:
        return request.state == State.WAITING and selectors.needs_proof(request)


class RequestFilter(Paging):
    """Which requests; `mine` are those that wait for you."""

    show: Literal["", "mine", "waiting", "approved", "rejected", "expired", "withdrawn"] = ""


class Approval(Body):
    """A yes to exactly what the hash stands for."""

    content_hash: Annotated[Text, Field(max_length=64, description="of what you were shown; another one is refused")]
    comment: Reason = ""
    passphrases: Passphrases
    step_up: (
        Annotated[dict[str, Any], Field(description="a passkey's answer, where the policy asks for one")] | None
    ) = None


class Rejection(Body):
    """A no and its reason."""

    comment: Reason = ""


class Proof(Body):
    """The signature of the request's challenge, in base64."""

    signature: Annotated[Text, Field(min_length=1, max_length=6000)]


class GoOn(Body):
    """The passphrases that the rest of the work takes."""

    passphrases: Passphrases


class StepUpOptions(Schema):
    """What a browser gives to the passkey."""

    request_options: dict[str, Any]


@router.get("/requests", response=PageOf[RequestOut], summary="List requests")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[RequestFilter]) -> dict[str, Any]:
    """List the requests of your accounts and repositories, the newest first."""
    rows = waiting_for(request.user) if wanted.show == "mine" else visible_requests(request.user)
    if wanted.show in State.values:
        rows = rows.filter(state=wanted.show)
    return page(request, response, rows, wanted)


@router.get("/requests/{int:pk}", response=RequestDetail, summary="Show a request")
def show(request: ApiRequest, pk: Id) -> ChangeRequest:
    """Show what is asked and would change now, who decided, and what became of it in each repository."""
    asked = find(request, pk)
    if asked.state != State.WAITING:
        return asked
    services.note_changes(asked)
    return find(request, pk)


@router.get("/requests/{int:pk}/step-up", response=StepUpOptions, summary="Begin a confirmation by passkey")
def begin(request: ApiRequest, pk: Id) -> dict[str, Any]:
    """Give what a browser asks a passkey; the answer counts for this request's content of now only."""
    asked = find(request, pk)
    return {"request_options": passkeys.begin(request.user, asked, asked.content_hash)}


@router.post("/requests/{int:pk}/approve", response=RequestDetail, summary="Approve a request")
def approve(request: ApiRequest, pk: Id, body: Approval) -> ChangeRequest:
    """Count one approval; once there are enough, the work begins. Nobody approves what they asked for."""
    asked = find(request, pk)
    confirmed = None
    if body.step_up is not None:
        confirmed = passkeys.verify(request.user, asked, body.content_hash, body.step_up)
    services.approve_request(
        actor=request.user,
        request=asked,
        content_hash=body.content_hash,
        passphrases={str(purpose): text for purpose, text in body.passphrases.items()},
        comment=body.comment,
        step_up=confirmed,
    )
    return find(request, pk)


@router.post("/requests/{int:pk}/reject", response=RequestDetail, summary="Reject a request")
def reject(request: ApiRequest, pk: Id, body: Rejection) -> ChangeRequest:
    """Say no, which ends the request."""
    services.reject_request(actor=request.user, request=find(request, pk), comment=body.comment)
    return find(request, pk)


@router.post("/requests/{int:pk}/proof", response=RequestDetail, summary="Show that the signer holds the key")
def prove(request: ApiRequest, pk: Id, body: Proof) -> ChangeRequest:
    """Bring the signature of the challenge; `trustctl` writes it where the key is."""
    services.prove_possession(actor=request.user, request=find(request, pk), signature=body.signature)
    return find(request, pk)


@router.post("/requests/{int:pk}/retry", response=RequestDetail, summary="Go on with an approved request")
def retry(request: ApiRequest, pk: Id, body: GoOn) -> ChangeRequest:
    """Do what it still lacks: what failed, and what waited for a signer's passphrase."""
    passphrases = {str(purpose): text for purpose, text in body.passphrases.items()}
    services.retry_request(actor=request.user, request=find(request, pk), passphrases=passphrases)
    return find(request, pk)


@router.post("/requests/{int:pk}/withdraw", response=RequestDetail, summary="Withdraw a request")
def withdraw(request: ApiRequest, pk: Id) -> ChangeRequest:
    """Take back what nobody decided about yet."""
    services.withdraw_request(actor=request.user, request=find(request, pk))
    return find(request, pk)


@router.post("/requests/{int:pk}/renew", response={201: RequestDetail}, summary="Ask anew for what is left")
def renew(request: ApiRequest, pk: Id) -> Status[ChangeRequest]:
    """Make a new request for what an old one still lacks; nobody has approved it yet."""
    fresh = services.renew_request(actor=request.user, request=find(request, pk))
    return Status(201, find(request, fresh.pk))


def find(request: ApiRequest, pk: int) -> ChangeRequest:
    """Find a request that this person may see."""
    return found(visible_requests(request.user), pk=pk)
