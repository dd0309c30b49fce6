"""People: who may sign in. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import User
from signing.permissions import require
from signing.selectors.people import people_like, visible_machines, visible_people
from signing.services.people import (
    LONGEST_NAME,
    LONGEST_USERNAME,
    Handover,
    Standing,
    activate_person,
    change_person,
    create_person,
    deactivate_person,
    give_new_password,
    set_standing,
    standing_of,
)
from signing.services.sign_in import end_sessions_of, reset_second_factor
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, Text, found, page, words
from trustui.api.marks import answers_with_a_secret

router = Router()

Standing_ = Annotated[Standing, words(Standing)]
Username = Annotated[Name, Field(max_length=LONGEST_USERNAME)]
FullName = Annotated[Text, Field(max_length=LONGEST_NAME)]
Email = Annotated[Text, Field(max_length=254)]


class PersonOut(Schema):
    """Who signs in, or a machine account that only has tokens."""

    id: int
    username: str
    full_name: str
    email: str
    is_active: bool
    standing: Standing_
    must_change_password: bool
    last_login: datetime | None

    @staticmethod
    def resolve_full_name(person: User) -> str:
        return person.get_full_name()

    @staticmethod
    def resolve_standing(person: User) -> str:
        return standing_of(person)


class HandoverOut(Schema):
    """A person and the one-time password to hand them. It is kept nowhere: this is the only time to see it."""

    person: PersonOut
    password: str


class PeopleFilter(Paging):
    """Which people."""

    q: Text = ""
    show: Literal["", "active", "deactivated", "administrators", "auditors"] = ""


class NewPerson(Body):
    """A person who is to sign in."""

    username: Username
    full_name: FullName = ""
    email: Email = ""


class PersonChange(Body):
    """What is to change; what is left out stays. The user name stays always."""

    full_name: FullName | None = None
    email: Email | None = None


class NewStanding(Body):
    """What somebody is to be in the installation as a whole."""

    standing: Standing_


class EndedOut(Schema):
    """How many sessions ended."""

    ended: int


@router.get("/people", response=PageOf[PersonOut], summary="List people")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[PeopleFilter]) -> dict[str, Any]:
    """List everybody by user name. For administrators."""
    require(request.user, "read_people")
    rows = visible_people(request.user)
    if wanted.q.strip():
        rows = people_like(rows, wanted.q.strip())
    if wanted.show == "administrators":
        rows = rows.filter(is_superuser=True)
    elif wanted.show == "auditors":
        rows = rows.filter(reads_everything=True)
    elif wanted.show:
        rows = rows.filter(is_active=wanted.show == "active")
    return page(request, response, rows, wanted)


@router.post("/people", response={201: HandoverOut}, summary="Let a person sign in")
@answers_with_a_secret
def new(request: ApiRequest, body: NewPerson) -> Status[Handover]:
    """Let a new person sign in, with a one-time password to hand them."""
    return Status(201, create_person(actor=request.user, **body.model_dump()))


@router.get("/people/{int:pk}", response=PersonOut, summary="Show a person")
def show(request: ApiRequest, pk: Id) -> User:
    """Show one person. For administrators."""
    return _find(request, pk)


@router.post("/people/{int:pk}/password", response=HandoverOut, summary="Hand out a new password")
@answers_with_a_secret
def password(request: ApiRequest, pk: Id) -> Handover:
    """Replace a forgotten password by a one-time password; who is signed in with the old one is signed out."""
    return give_new_password(actor=request.user, person=_find(request, pk))


@router.post("/people/{int:pk}/activate", response=HandoverOut, summary="Let a person in again")
@answers_with_a_secret
def activate(request: ApiRequest, pk: Id) -> Handover:
    """Let a deactivated person sign in again, with a one-time password and the roles they had."""
    return activate_person(actor=request.user, person=_find(request, pk))


@router.post("/people/{int:pk}/deactivate", response=PersonOut, summary="Shut a person out")
def deactivate(request: ApiRequest, pk: Id) -> User:
    """Shut a person or a machine account out at once. Name, roles, keys and signatures stay what they are."""
    people = visible_people(request.user) | visible_machines(request.user)
    return deactivate_person(actor=request.user, person=found(people, pk=pk))


@router.patch("/people/{int:pk}", response=PersonOut, summary="Change a person")
def change(request: ApiRequest, pk: Id, body: PersonChange) -> User:
    """Change the name others see and the address for mail."""
    person = _find(request, pk)
    given = {"full_name": person.get_full_name(), "email": person.email} | body.model_dump(exclude_none=True)
    return change_person(actor=request.user, person=person, **given)


@router.put("/people/{int:pk}/standing", response=PersonOut, summary="Change what a person is")
def standing(request: ApiRequest, pk: Id, body: NewStanding) -> User:
    """Make somebody an administrator, an auditor of the whole installation, or neither."""
    return set_standing(actor=request.user, person=_find(request, pk), standing=str(body.standing))


@router.post("/people/{int:pk}/second-factor", response=PersonOut, summary="Take a lost second factor away")
def second_factor(request: ApiRequest, pk: Id) -> User:
    """Let the password alone be enough again, and end the person's sessions; they are told by mail."""
    return reset_second_factor(actor=request.user, person=_find(request, pk))


@router.post("/people/{int:pk}/sessions", response=EndedOut, summary="Sign a person out everywhere")
def sessions(request: ApiRequest, pk: Id) -> dict[str, int]:
    """End a person's sessions; they may sign in again."""
    return {"ended": end_sessions_of(actor=request.user, person=_find(request, pk))}


def _find(request: ApiRequest, pk: int) -> User:
    return found(visible_people(request.user), pk=pk)
