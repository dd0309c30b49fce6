"""The emergency stop: freeze a key, an account or a person, and lift it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import Http404, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing import step_up as passkeys
from signing.freezing import act_hash
from signing.models import Account, Freeze, Key, User
from signing.selectors.accounts import visible_accounts
from signing.selectors.freezing import visible_freezes
from signing.selectors.keys import visible_keys
from signing.selectors.people import visible_machines, visible_people
from signing.services.freezing import LONGEST_REASON, freeze, lift_freeze
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, Reason, Text, found, page
from trustui.api.keys import KeyId
from trustui.api.requests import StepUpOptions

router = Router()

Thing = Key | Account | User
Answer = Annotated[dict[str, Any], Field(description="a passkey's answer, where the policy asks for one")]


class FreezeOut(Schema):
    """What is frozen (exactly one of `key`, `account` and `person`), why, and whether somebody lifted it."""

    id: int
    key: str | None
    account: str | None
    person: str | None
    reason: str
    by: str | None
    at: datetime
    lifted_by: str | None
    lifted_at: datetime | None

    @staticmethod
    def resolve_key(row: Freeze) -> str | None:
        return row.key.key_id if row.key else None

    @staticmethod
    def resolve_account(row: Freeze) -> str | None:
        return row.account.name if row.account else None

    @staticmethod
    def resolve_person(row: Freeze) -> str | None:
        return row.person.username if row.person else None

    @staticmethod
    def resolve_by(row: Freeze) -> str | None:
        return row.by.username if row.by else None

    @staticmethod
    def resolve_lifted_by(row: Freeze) -> str | None:
        return row.lifted_by.username if row.lifted_by else None


class FreezeFilter(Paging):
    """Which freezes."""

    show: Literal["in_force", "lifted", "all"] = "in_force"


class FreezeIt(Body):
    """Why, and a passkey's answer where the policy wants one."""

    reason: Annotated[Text, Field(min_length=1, max_length=LONGEST_REASON)]
    step_up: Answer | None = None


class LiftIt(Body):
    """Why it may go on, and a passkey's answer where the policy wants one."""

    reason: Reason = ""
    step_up: Answer | None = None


@router.get("/freezes", response=PageOf[FreezeOut], summary="List freezes")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[FreezeFilter]) -> dict[str, Any]:
    """List what is frozen among what you may see."""
    rows = visible_freezes(request.user)
    if wanted.show != "all":
        rows = rows.filter(lifted_at__isnull=wanted.show == "in_force")
    return page(request, response, rows, wanted)


@router.post("/keys/{str:key_id}/freeze", response={201: FreezeOut}, summary="Freeze a key")
def key(request: ApiRequest, key_id: KeyId, body: FreezeIt) -> Status[Freeze]:
    """Let nothing new be signed with a key, at once and whatever is queued."""
    thing = found(visible_keys(request.user), key_id=key_id)
    word = _word(request, "freeze", thing, body.step_up)
    return Status(201, freeze(actor=request.user, reason=body.reason, key=thing, step_up=word))


@router.post("/accounts/{slug:name}/freeze", response={201: FreezeOut}, summary="Freeze an account")
def account(request: ApiRequest, name: Name, body: FreezeIt) -> Status[Freeze]:
    """Let nothing new be signed in an account, with whatever key."""
    thing = found(visible_accounts(request.user), name=name)
    word = _word(request, "freeze", thing, body.step_up)
    return Status(201, freeze(actor=request.user, reason=body.reason, account=thing, step_up=word))


@router.post("/people/{int:pk}/freeze", response={201: FreezeOut}, summary="Freeze a person")
def person(request: ApiRequest, pk: Id, body: FreezeIt) -> Status[Freeze]:
    """Let nothing new be signed with any key of a person, nor because they asked or approved."""
    thing = _person(request, pk)
    word = _word(request, "freeze", thing, body.step_up)
    return Status(201, freeze(actor=request.user, reason=body.reason, person=thing, step_up=word))


@router.post("/freezes/{int:pk}/lift", response=FreezeOut, summary="Lift a freeze")
def lift(request: ApiRequest, pk: Id, body: LiftIt) -> Freeze:
    """Let it go on; for administrators, and not for the frozen person."""
    row = found(visible_freezes(request.user), pk=pk)
    thing = row.key or row.account or row.person
    word = _word(request, "lift", thing, body.step_up) if thing else None
    return lift_freeze(actor=request.user, freeze=row, reason=body.reason, step_up=word)


@router.get(
    "/freezes/step-up/{slug:act}/{slug:kind}/{str:which}",
    response=StepUpOptions,
    summary="Begin a confirmation by passkey of a freeze",
)
def confirm(
    request: ApiRequest, act: Literal["freeze", "lift"], kind: Literal["key", "account", "person"], which: Name
) -> dict[str, Any]:
    """Give what a browser asks a passkey; the answer counts for this act on this thing only."""
    thing: Thing
    if kind == "key":
        thing = found(visible_keys(request.user), key_id=which)
    elif kind == "account":
        thing = found(visible_accounts(request.user), name=which)
    elif which.isdecimal():
        thing = _person(request, int(which))
    else:
        raise Http404
    return {"request_options": passkeys.begin(request.user, thing, act_hash(act, thing))}


def _person(request: ApiRequest, pk: int) -> User:
    people = visible_people(request.user) | visible_machines(request.user)
    return request.user if pk == request.user.pk else found(people, pk=pk)


def _word(request: ApiRequest, act: str, thing: Thing, answer: dict[str, Any] | None) -> passkeys.StepUp | None:
    return passkeys.verify(request.user, thing, act_hash(act, thing), answer) if answer is not None else None
