"""The directory of signers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Key, Signer
from signing.permissions import require
from signing.selectors.accounts import people_of
from signing.selectors.keys import visible_keys
from signing.selectors.signers import repositories_of, visible_signers
from signing.services.signers import create_signer
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, Text, account_named, chosen, found, page, words

router = Router()


class SignerOut(Schema):
    """A name in an account and the key it signs with."""

    id: int
    name: str
    account: str
    user: str | None
    key_id: str
    custody: Annotated[Key.Custody, words(Key.Custody)]
    flag: str
    created_at: datetime

    @staticmethod
    def resolve_account(signer: Signer) -> str:
        return signer.account.name

    @staticmethod
    def resolve_user(signer: Signer) -> str | None:
        return signer.user.username if signer.user else None

    @staticmethod
    def resolve_key_id(signer: Signer) -> str:
        return signer.key.key_id

    @staticmethod
    def resolve_custody(signer: Signer) -> str:
        return signer.key.custody


class SignerDetail(SignerOut):
    """The same with the repositories whose trust data names it."""

    repositories: list[str]

    @staticmethod
    def resolve_repositories(signer: Signer) -> list[str]:
        return [repository.gun for repository in repositories_of(signer)]


class SignerFilter(Paging):
    """Which signers."""

    q: Text = ""
    account: Text = ""


class NewSigner(Body):
    """A name, its key, and whose it is."""

    account: Name
    name: Annotated[Name, Field(max_length=100)]
    key: Annotated[Name, Field(max_length=64, description="the id of a signer key of the account")]
    user: Annotated[Name, Field(max_length=150, description="a user name; null: a machine's signer")] | None = None


@router.get("/signers", response=PageOf[SignerOut], summary="List signers")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[SignerFilter]) -> dict[str, Any]:
    """List the signers you may see, by account and name."""
    rows = visible_signers(request.user)
    if wanted.q:
        rows = rows.filter(name__icontains=wanted.q)
    if wanted.account:
        rows = rows.filter(account__name=wanted.account)
    return page(request, response, rows, wanted)


@router.post("/signers", response={201: SignerDetail}, summary="Name a signer")
def new(request: ApiRequest, body: NewSigner) -> Status[Signer]:
    """Name a signer. Nobody trusts it yet: that takes an approved request for each repository."""
    account = account_named(request, body.account)
    require(request.user, "create_signer", account)  # before a user name that exists is told from one that does not
    key = chosen(visible_keys(request.user), "key", key_id=body.key)
    user = chosen(people_of(account, request.user), "user", username=body.user) if body.user else None
    return Status(201, create_signer(actor=request.user, account=account, name=body.name, key=key, user=user))


@router.get("/signers/{int:pk}", response=SignerDetail, summary="Show a signer")
def show(request: ApiRequest, pk: Id) -> Signer:
    """Tell whose signer it is and which repositories trust it."""
    return found(visible_signers(request.user), pk=pk)
