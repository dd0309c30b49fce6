"""Accounts and their people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Account
from signing.permissions import require
from signing.selectors.accounts import visible_accounts
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.accounts import change_account, create_account
from trustui.api.base import ApiRequest, Body, Flag, Name, PageOf, Paging, Secret, Text, chosen, found, page

router = Router()

AccountName = Annotated[Text, Field(max_length=50, examples=["team"])]
TrustServerName = Annotated[Name, Field(max_length=50, description="the name of a trust server")]


class AccountOut(Schema):
    """A namespace of repositories on one registry."""

    name: str
    registry: str
    namespace: str
    trust_server: str
    registry_username: str
    enforces_trust: bool
    created_at: datetime

    @staticmethod
    def resolve_trust_server(account: Account) -> str:
        return account.trust_server.name


class NewAccount(Body):
    """A namespace of a registry."""

    name: Annotated[Name, Field(max_length=50)]
    registry: Annotated[Name, Field(description="as in image names: registry.example.com, or docker.io")]
    namespace: Annotated[Text, Field(max_length=200)] = ""
    trust_server: TrustServerName
    registry_username: Annotated[Text, Field(max_length=255)] = ""
    registry_password: Secret = ""
    enforces_trust: Flag = True


class AccountChange(Body):
    """What is to change; what is left out stays. An empty password removes the stored one."""

    trust_server: TrustServerName | None = None
    registry_username: Annotated[Text, Field(max_length=255)] | None = None
    registry_password: Secret | None = None
    enforces_trust: Flag | None = None


@router.get("/accounts", response=PageOf[AccountOut], summary="List accounts")
def index(request: ApiRequest, response: HttpResponse, paging: Query[Paging]) -> dict[str, Any]:
    """List the accounts you have a role in, by name."""
    return page(request, response, visible_accounts(request.user), paging)


@router.post("/accounts", response={201: AccountOut}, summary="Open an account")
def new(request: ApiRequest, body: NewAccount) -> Status[Account]:
    """Open an account for one namespace of a registry; its maker becomes its first lead."""
    server = chosen(visible_trust_servers(request.user), "trust_server", name=body.trust_server)
    return Status(201, create_account(actor=request.user, **body.model_dump() | {"trust_server": server}))


@router.get("/accounts/{slug:name}", response=AccountOut, summary="Show an account")
def show(request: ApiRequest, name: AccountName) -> Account:
    """Show what an account stands for."""
    return find(request, name)


@router.patch("/accounts/{slug:name}", response=AccountOut, summary="Change an account")
def change(request: ApiRequest, name: AccountName, body: AccountChange) -> Account:
    """Change what is given. Another trust server is an administrator's decision."""
    account = find(request, name)
    require(request.user, "manage_account", account)
    given = body.model_dump(exclude_unset=True)
    if body.trust_server is not None:
        given["trust_server"] = chosen(visible_trust_servers(request.user), "trust_server", name=body.trust_server)
    return change_account(actor=request.user, account=account, **given)


def find(request: ApiRequest, name: str) -> Account:
    """Find an account that this person may see by its name."""
    return found(visible_accounts(request.user), name=name)
