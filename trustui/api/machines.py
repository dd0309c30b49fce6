"""Machine accounts: programs that read and ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import User
from signing.permissions import require
from signing.selectors.people import visible_machines
from signing.selectors.repositories import visible_repositories
from signing.services.machines import create_machine
from signing.services.people import LONGEST_NAME, LONGEST_USERNAME
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, Text, account_named, chosen_all, found, page

router = Router()

MOST_REPOSITORIES = 200


class MachineOut(Schema):
    """A machine account and where it may read and ask."""

    id: int
    username: str
    full_name: str
    is_active: bool
    places: list[str]
    date_joined: datetime

    @staticmethod
    def resolve_full_name(machine: User) -> str:
        return machine.get_full_name()

    @staticmethod
    def resolve_places(machine: User) -> list[str]:
        rows = machine.memberships.select_related("account", "repository")
        return [row.repository.gun if row.repository else row.account.name for row in rows]


class NewMachine(Body):
    """A machine account of one account."""

    account: Name
    username: Annotated[Name, Field(max_length=LONGEST_USERNAME)]
    full_name: Annotated[Text, Field(max_length=LONGEST_NAME)] = ""
    repositories: Annotated[
        list[Name],
        Field(max_length=MOST_REPOSITORIES, description="none: every repository of the account", default_factory=list),
    ]


@router.get("/machines", response=PageOf[MachineOut], summary="List machine accounts")
def index(request: ApiRequest, response: HttpResponse, paging: Query[Paging]) -> dict[str, Any]:
    """List the machine accounts you answer for."""
    return page(request, response, visible_machines(request.user), paging)


@router.post("/machines", response={201: MachineOut}, summary="Make a machine account")
def new(request: ApiRequest, body: NewMachine) -> Status[User]:
    """Make an account for a program. It can do nothing until a token is made for it."""
    account = account_named(request, body.account)
    require(request.user, "create_machine", account)
    mine = visible_repositories(request.user).filter(account=account)
    made = create_machine(
        actor=request.user,
        account=account,
        username=body.username,
        full_name=body.full_name,
        repositories=chosen_all(mine, "repositories", "gun", body.repositories),
    )
    return Status(201, made)


@router.get("/machines/{int:pk}", response=MachineOut, summary="Show a machine account")
def show(request: ApiRequest, pk: Id) -> User:
    """Show where a machine account may read and ask."""
    return found(visible_machines(request.user), pk=pk)
