"""Requests: ask for a change, and let another person decide."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import ChangeRequest, ChangeRequestItem, Decision
from signing.selectors.repositories import visible_repositories
from signing.selectors.requests import passphrases_needed, visible_requests, waiting_for
from signing.selectors.signers import visible_signers
from signing.services.requests import approve_request, reject_request, request_signer
from trustui.api.base import (
    ApiRequest,
    Body,
    Id,
    Name,
    Number,
    PageOf,
    Paging,
    Reason,
    Secret,
    chosen,
    chosen_all,
    page,
)
from trustui.api.base import found as find

router = Router()

MOST_REPOSITORIES = 500

Guns = Annotated[list[Name], Field(min_length=1, max_length=MOST_REPOSITORIES)]


class RequestOut(Schema):
    """What somebody asks for and how far it is."""

    id: int
    kind: ChangeRequest.Kind
    state: ChangeRequest.State
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
    """One repository of a request, and the work its approval caused."""

    repository: str
    diff: list[Any]
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
    """One person's yes or no."""

    by: str
    approves: bool
    comment: str
    stepped_up: bool
    at: datetime

    @staticmethod
    def resolve_by(decision: Decision) -> str:
        return decision.by.username


class RequestDetail(RequestOut):
    """The same with its repositories and decisions, and what the last approval has to bring."""

    items: list[ItemOut]
    decisions: list[DecisionOut]
    passphrases_needed: list[str]

    @staticmethod
    def resolve_items(request: ChangeRequest) -> list[ChangeRequestItem]:
        return list(request.items.all())

    @staticmethod
    def resolve_decisions(request: ChangeRequest) -> list[Decision]:
        return list(request.decisions.all())

    @staticmethod
    def resolve_passphrases_needed(request: ChangeRequest) -> list[str]:
        return passphrases_needed(request) if request.state == ChangeRequest.State.WAITING else []


class RequestFilter(Paging):
    """Which requests; `mine` are those that wait for your decision."""

    show: Literal["", "mine"] | ChangeRequest.State = ""


class NewSignerRequest(Body):
    """A signer, the repositories it should sign, and why."""

    signer: Annotated[Number, Field(description="a signer's id")]
    repositories: Guns
    reason: Reason = ""


class Approval(Body):
    """A yes, and the passphrases of administrative keys that ask for one: root, repository."""

    comment: Reason = ""
    passphrases: Annotated[dict[str, Secret], Field(max_length=3, default_factory=dict)]


class Rejection(Body):
    """A no and its reason."""

    comment: Reason = ""


@router.get("/requests", response=PageOf[RequestOut], summary="List requests")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[RequestFilter]) -> dict[str, Any]:
    """List the requests of your accounts, the newest first."""
    rows = waiting_for(request.user) if wanted.show == "mine" else visible_requests(request.user)
    if wanted.show in ChangeRequest.State.values:
        rows = rows.filter(state=wanted.show)
    return page(request, response, rows, wanted)


@router.post("/requests/signer", response={201: RequestDetail}, summary="Ask for a signer")
def new(request: ApiRequest, body: NewSignerRequest) -> Status[ChangeRequest]:
    """Ask that a signer may sign these repositories. Somebody else has to approve it."""
    signer = chosen(visible_signers(request.user), "signer", pk=body.signer)
    mine = visible_repositories(request.user).filter(account=signer.account_id)
    repositories = chosen_all(mine, "repositories", "gun", body.repositories)
    made = request_signer(actor=request.user, signer=signer, repositories=repositories, reason=body.reason)
    return Status(201, _find(request, made.pk))


@router.get("/requests/{int:pk}", response=RequestDetail, summary="Show a request")
def show(request: ApiRequest, pk: Id) -> ChangeRequest:
    """Show what is asked, who decided, and what became of it in each repository."""
    return _find(request, pk)


@router.post("/requests/{int:pk}/approve", response=RequestDetail, summary="Approve a request")
def approve(request: ApiRequest, pk: Id, body: Approval) -> ChangeRequest:
    """Count one approval; once there are enough, the work begins. Nobody approves what they asked for."""
    approve_request(actor=request.user, request=_find(request, pk), passphrases=body.passphrases, comment=body.comment)
    return _find(request, pk)


@router.post("/requests/{int:pk}/reject", response=RequestDetail, summary="Reject a request")
def reject(request: ApiRequest, pk: Id, body: Rejection) -> ChangeRequest:
    """Say no, which ends the request."""
    reject_request(actor=request.user, request=_find(request, pk), comment=body.comment)
    return _find(request, pk)


def _find(request: ApiRequest, pk: int) -> ChangeRequest:
    return find(visible_requests(request.user), pk=pk)
