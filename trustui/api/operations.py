"""Operations: what is queued, running and over."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from signing.models import Operation
from signing.selectors.operations import passphrases_needed, visible_operations
from signing.services.operations import cancel_operation, retry_operation
from trustui.api.base import ApiRequest, Body, Flag, Id, PageOf, Paging, Secret, found, page, words

router = Router()

LINES = 200

Kind = Annotated[Operation.Kind, words(Operation.Kind)]
State = Annotated[Operation.State, words(Operation.State)]


class OperationOut(Schema):
    """One piece of queued work."""

    id: int
    kind: Kind
    state: State
    outcome: str
    is_finished: bool
    step: str
    done_steps: list[str]
    account: str | None
    repository: str | None
    tag: str | None
    signer: str | None
    key_id: str | None
    requested_by: str | None
    error_code: str
    error: str
    next_step: str
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_account(operation: Operation) -> str | None:
        return operation.account.name if operation.account else None

    @staticmethod
    def resolve_repository(operation: Operation) -> str | None:
        return operation.repository.gun if operation.repository else None

    @staticmethod
    def resolve_tag(operation: Operation) -> str | None:
        tag = operation.parameters.get("tag")
        return str(tag) if tag else None

    @staticmethod
    def resolve_signer(operation: Operation) -> str | None:
        return operation.signer.name if operation.signer else None

    @staticmethod
    def resolve_key_id(operation: Operation) -> str | None:
        return operation.key.key_id if operation.key else None

    @staticmethod
    def resolve_requested_by(operation: Operation) -> str | None:
        return operation.requested_by.username if operation.requested_by else None


class OperationDetail(OperationOut):
    """The same with its log, what it found out, and what trying again takes."""

    result: dict[str, Any]
    log: list[str]
    passphrases_needed: list[str]

    @staticmethod
    def resolve_log(operation: Operation) -> list[str]:
        newest = operation.lines.order_by("-pk").values_list("text", flat=True)[:LINES]
        return list(reversed(newest))

    @staticmethod
    def resolve_passphrases_needed(operation: Operation) -> list[str]:
        return passphrases_needed(operation)


class OperationFilter(Paging):
    """Which operations."""

    state: State | None = None
    kind: Kind | None = None


class Retry(Body):
    """The passphrases that trying again takes, by the purpose of the key: signer, root, repository."""

    passphrases: Annotated[dict[str, Secret], Field(max_length=3, default_factory=dict)]
    insists: Annotated[Flag, Field(description="try a token's PIN even where one more wrong one would lock it")] = False


@router.get("/operations", response=PageOf[OperationOut], summary="List operations")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[OperationFilter]) -> dict[str, Any]:
    """List what is queued, running and over, the newest first."""
    rows = visible_operations(request.user)
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    return page(request, response, rows, wanted)


@router.get("/operations/{int:pk}", response=OperationDetail, summary="Show an operation")
def show(request: ApiRequest, pk: Id) -> Operation:
    """Tell how far it is. Ask again each second or so until `is_finished`."""
    return found(visible_operations(request.user), pk=pk)


@router.post("/operations/{int:pk}/cancel", response=OperationDetail, summary="Cancel an operation")
def cancel(request: ApiRequest, pk: Id) -> Operation:
    """Stop work that has not signed anything yet."""
    return cancel_operation(actor=request.user, operation=found(visible_operations(request.user), pk=pk))


@router.post("/operations/{int:pk}/retry", response=OperationDetail, summary="Try a failed operation again")
def retry(request: ApiRequest, pk: Id, body: Retry) -> Operation:
    """Queue it again; a publish whose signature is stored goes on with moving the tag."""
    operation = found(visible_operations(request.user), pk=pk)
    return retry_operation(actor=request.user, operation=operation, passphrases=body.passphrases, insists=body.insists)
