"""Replace a key everywhere: plan it, ask for it, and stop, go on with or drop what was begun."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing import rotations as states
from signing.models import Rotation, RotationStep
from signing.selectors.keys import visible_keys
from signing.selectors.rotations import candidates_for, visible_rotations
from signing.services import rotations as services
from trustui.api.base import (
    ApiRequest,
    Body,
    Flag,
    Id,
    PageOf,
    Paging,
    Reason,
    Secret,
    Text,
    found,
    page,
    unknown,
    words,
)
from trustui.api.keys import KeyId
from trustui.api.requests import Passphrases

router = Router()

ReasonName = Annotated[Rotation.Reason, words(Rotation.Reason)]
StateName = Annotated[Rotation.State, words(Rotation.State)]


class RotationOut(Schema):
    """Which key goes, which comes, why, and how far it is."""

    id: int
    key: str
    replacement: str | None
    reason: ReasonName
    state: StateName
    request: int | None
    created_at: datetime
    finished_at: datetime | None

    @staticmethod
    def resolve_key(row: Rotation) -> str:
        return row.key.key_id

    @staticmethod
    def resolve_replacement(row: Rotation) -> str | None:
        return row.replacement.key_id if row.replacement else None

    @staticmethod
    def resolve_request(row: Rotation) -> int | None:
        return row.request_id


class StepOut(Schema):
    """One repository of a plan."""

    repository: str | None
    role: str
    tags: list[str]
    state: Annotated[RotationStep.State, words(RotationStep.State)]
    operation: int | None

    @staticmethod
    def resolve_repository(row: RotationStep) -> str | None:
        return row.repository.gun if row.repository else None

    @staticmethod
    def resolve_operation(row: RotationStep) -> int | None:
        return row.operation_id


class RotationDetail(RotationOut):
    """The same with its steps, what named the key when it was planned, and what a fresh client saw at the end."""

    radius: dict[str, Any]
    proof: dict[str, Any]
    steps: list[StepOut]

    @staticmethod
    def resolve_steps(row: Rotation) -> list[RotationStep]:
        return list(row.steps.select_related("repository"))


class PlanIt(Body):
    """Why, and by what: a key that is here by its id, or a new one, with a passphrase or unattended."""

    reason: ReasonName
    replacement: Annotated[Text, Field(max_length=64, description="a key's id; none: a new one is made")] = ""
    passphrase: Annotated[Secret, Field(min_length=8)] | None = None
    unattended: Annotated[Flag, Field(description="the new key signs without asking")] = False


class AskForIt(Body):
    """A word for whoever approves."""

    comment: Reason = ""


class RetryIt(Body):
    """The passphrases that the rest of the steps takes."""

    passphrases: Passphrases


@router.get("/rotations", response=PageOf[RotationOut], summary="List replacements of keys")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[Paging]) -> dict[str, Any]:
    """List the replacements of the keys you may see, the newest first."""
    return page(request, response, visible_rotations(request.user), wanted)


@router.get("/rotations/{int:pk}", response=RotationDetail, summary="Show a replacement of a key")
def show(request: ApiRequest, pk: Id) -> Rotation:
    """Show its steps, how far they are, and the proof."""
    return _find(request, pk)


@router.post("/keys/{str:key_id}/rotate", response={201: RotationDetail}, summary="Plan to replace a key")
def rotate(request: ApiRequest, key_id: KeyId, body: PlanIt) -> Status[Rotation]:
    """Begin to replace a key; a compromised one is frozen first. Nothing is signed before others approved it."""
    key = found(visible_keys(request.user), key_id=key_id)
    replacement = next((row for row in candidates_for(key) if row.key_id == body.replacement), None)
    if body.replacement and replacement is None:
        raise unknown("replacement")
    given = body.model_dump(exclude={"replacement"}) | {"reason": str(body.reason)}
    made = services.plan_rotation(actor=request.user, key=key, replacement=replacement, **given)
    return Status(201, _find(request, made.pk))


@router.post("/rotations/{int:pk}/ask", response=RotationDetail, summary="Ask for the approval of a replacement")
def ask(request: ApiRequest, pk: Id, body: AskForIt) -> Rotation:
    """Ask for what the plan says; another person approves it, and then it begins."""
    services.request_replacement(actor=request.user, rotation=_find(request, pk), comment=body.comment)
    return _find(request, pk)


@router.post("/rotations/{int:pk}/pause", response=RotationDetail, summary="Pause a replacement")
def pause(request: ApiRequest, pk: Id) -> Rotation:
    """Let no further step begin."""
    services.pause_rotation(actor=request.user, rotation=_find(request, pk))
    return _find(request, pk)


@router.post("/rotations/{int:pk}/resume", response=RotationDetail, summary="Go on with a paused replacement")
def resume(request: ApiRequest, pk: Id) -> Rotation:
    """Go on with the steps that were paused."""
    services.resume_rotation(actor=request.user, rotation=_find(request, pk))
    return _find(request, pk)


@router.post("/rotations/{int:pk}/retry", response=RotationDetail, summary="Try what failed of a replacement again")
def retry(request: ApiRequest, pk: Id, body: RetryIt) -> Rotation:
    """Do what failed again, and what waits for a passphrase; what is done stays done."""
    passphrases = {str(purpose): text for purpose, text in body.passphrases.items()}
    services.retry_rotation(actor=request.user, rotation=_find(request, pk), passphrases=passphrases)
    return _find(request, pk)


@router.post("/rotations/{int:pk}/drop", response=RotationDetail, summary="Drop the plan of a replacement")
def drop(request: ApiRequest, pk: Id) -> Rotation:
    """Give a plan up before any of it is done."""
    services.drop_rotation(actor=request.user, rotation=_find(request, pk))
    return _find(request, pk)


def _find(request: ApiRequest, pk: int) -> Rotation:
    found(visible_rotations(request.user), pk=pk)
    states.settle(pk)
    return visible_rotations(request.user).get(pk=pk)
