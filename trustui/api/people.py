"""People: who may sign in. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import User
from signing.permissions import require
from signing.selectors.people import people_like, visible_people
from signing.services.people import (
    LONGEST_NAME,
    LONGEST_USERNAME,
    Handover,
    activate_person,
    create_person,
    deactivate_person,
    give_new_password,
)
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, Text, found, page
from trustui.api.secrets import answers_with_a_secret

router = Router()


class PersonOut(Schema):
    """Who signs in, or a machine account that only has tokens."""

    id: int
    username: str
    full_name: str
    email: str
    is_active: bool
    is_administrator: bool
    is_machine: bool
    reads_everything: bool
    must_change_password: bool
    last_login: datetime | None

    @staticmethod
    def resolve_full_name(person: User) -> str:
        return person.get_full_name()

    @staticmethod
    def resolve_is_administrator(person: User) -> bool:
        return person.is_superuser


class HandoverOut(Schema):
    """A person and the one-time password to hand them. It is kept nowhere: this is the only time to see it."""

    person: PersonOut
    password: str


class PeopleFilter(Paging):
    """Which people."""

    q: Text = ""
    show: Literal["", "active", "deactivated", "administrators"] = ""


class NewPerson(Body):
    """A person who is to sign in."""

    username: Annotated[Name, Field(max_length=LONGEST_USERNAME)]
    full_name: Annotated[Text, Field(max_length=LONGEST_NAME)] = ""
    email: Annotated[Text, Field(max_length=254)] = ""


@router.get("/people", response=PageOf[PersonOut], summary="List people")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[PeopleFilter]) -> dict[str, Any]:
    """List everybody by user name. For administrators."""
    require(request.user, "manage_people")
    rows = visible_people(request.user)
    if wanted.q.strip():
        rows = people_like(rows, wanted.q.strip())
    if wanted.show == "administrators":
        rows = rows.filter(is_superuser=True)
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
    """Shut a person out at once. Their name, roles, keys and signatures stay what they are."""
    return deactivate_person(actor=request.user, person=_find(request, pk))


def _find(request: ApiRequest, pk: int) -> User:
    return found(visible_people(request.user), pk=pk)
