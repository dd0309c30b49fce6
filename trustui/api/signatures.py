"""Signatures that holders of keys are asked for, given on their own machines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from signing.models import SignatureTask
from signing.selectors import signatures as selectors
from signing.services import signatures as services
from signing.trust.policy.foreign_signature import LONGEST_SIGNATURE, signature_bytes
from trustui.api.base import ApiRequest, Body, Id, PageOf, Paging, Reason, Text, found, page, words

router = Router()

State = Annotated[SignatureTask.State, words(SignatureTask.State)]


class SignatureOut(Schema):
    """One signature that the holder of a key is asked for."""

    id: int
    state: State
    repository: str | None
    role: str
    version: int
    sha256: str
    key_id: str
    holder: str | None
    operation: int
    expires_at: datetime
    answered_by: str | None
    answered_at: datetime | None
    comment: str

    @staticmethod
    def resolve_repository(task: SignatureTask) -> str | None:
        repository = task.file.operation.repository
        return repository.gun if repository else None

    @staticmethod
    def resolve_role(task: SignatureTask) -> str:
        return task.file.role

    @staticmethod
    def resolve_version(task: SignatureTask) -> int:
        return task.file.version

    @staticmethod
    def resolve_sha256(task: SignatureTask) -> str:
        return task.file.payload_hash

    @staticmethod
    def resolve_key_id(task: SignatureTask) -> str:
        return task.key.key_id

    @staticmethod
    def resolve_holder(task: SignatureTask) -> str | None:
        return task.key.owner.username if task.key.owner else None

    @staticmethod
    def resolve_operation(task: SignatureTask) -> int:
        return task.file.operation_id

    @staticmethod
    def resolve_answered_by(task: SignatureTask) -> str | None:
        return task.answered_by.username if task.answered_by else None


class SignatureRequestOut(Schema):
    """What a holder needs to sign, also without any network: the bytes, and the files that they follow."""

    format: str
    id: int
    state: State
    repository: str
    role: str
    version: int
    key_id: str
    keyid: Annotated[str, Field(description="by which the file names the key; it differs where a certificate is")]
    sha256: str
    payload: Annotated[str, Field(description="the bytes to sign, base64")]
    lines: list[str]
    files: Annotated[dict[str, str], Field(description="what was trusted last, by role, base64")]
    together: Annotated[dict[str, str], Field(description="all files of the same change, by role, base64")]
    operation: int
    kind: str
    asked_by: str
    expires_at: datetime


class SignatureFilter(Paging):
    """Which signatures."""

    all: Annotated[bool, Field(description="also those that others are asked for, and what is over")] = False


class GiveSignature(Body):
    """The signature, and which bytes the holder looked at."""

    signature: Annotated[Text, Field(min_length=1, max_length=LONGEST_SIGNATURE, description="base64")]
    sha256: Annotated[Text, Field(min_length=64, max_length=64, description="of the bytes that were signed")]


class RefuseSignature(Body):
    """Why not."""

    comment: Reason = ""


@router.get("/signatures", response=PageOf[SignatureOut], summary="List signatures asked for")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[SignatureFilter]) -> dict[str, Any]:
    """List what waits for your signature, the first to run out first."""
    visible = selectors.visible_tasks if wanted.all else selectors.tasks_waiting_for
    return page(request, response, visible(request.user), wanted)


@router.get("/signatures/{int:pk}", response=SignatureRequestOut, summary="Show what is to be signed")
def show(request: ApiRequest, pk: Id) -> dict[str, Any]:
    """Give the very bytes, and what is needed to check them. Believe nothing of it that you can work out yourself."""
    return selectors.request_file(_find(request, pk))


@router.post("/signatures/{int:pk}", response=SignatureOut, summary="Give a signature")
def give(request: ApiRequest, pk: Id, body: GiveSignature) -> SignatureTask:
    """Bring the signature of the bytes; with the last one the work goes on. A signature of other bytes is refused."""
    given = services.give_signature(
        actor=request.user,
        task=_find(request, pk),
        signature=signature_bytes(body.signature),
        sha256=body.sha256,
    )
    return _find(request, given.pk)


@router.post("/signatures/{int:pk}/refuse", response=SignatureOut, summary="Refuse to sign")
def refuse(request: ApiRequest, pk: Id, body: RefuseSignature) -> SignatureTask:
    """Say no, which ends the work; nothing of it is published."""
    refused = services.refuse_signature(actor=request.user, task=_find(request, pk), comment=body.comment)
    return _find(request, refused.pk)


def _find(request: ApiRequest, pk: int) -> SignatureTask:
    return found(selectors.visible_tasks(request.user), pk=pk)
