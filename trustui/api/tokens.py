"""API tokens: one's own, and those of the machine accounts one answers for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import ApiToken
from signing.selectors.api_tokens import visible_tokens
from signing.selectors.people import machines_run_by
from signing.selectors.repositories import visible_repositories
from signing.services.api_tokens import MOST_DAYS, create_token, revoke_token
from trustui.api.base import ApiRequest, Body, Id, Name, PageOf, Paging, chosen_all, found, page, unknown, words
from trustui.api.marks import answers_with_a_secret

router = Router()

MOST_REPOSITORIES = 200

Scope = Annotated[ApiToken.Scope, words(ApiToken.Scope)]


class TokenOut(Schema):
    """A token without its secret."""

    id: int
    name: str
    prefix: str
    user: str
    scopes: list[Scope]
    repositories: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    is_usable: bool

    @staticmethod
    def resolve_user(token: ApiToken) -> str:
        return token.user.username

    @staticmethod
    def resolve_created_by(token: ApiToken) -> str:
        return token.created_by.username

    @staticmethod
    def resolve_repositories(token: ApiToken) -> list[str]:
        return [repository.gun for repository in token.repositories.all()]


class NewTokenOut(Schema):
    """A new token with its secret. Only a hash of it is kept: this is the only time to see it."""

    token: str
    about: TokenOut


class NewToken(Body):
    """What the token is for and how far it reaches."""

    name: Annotated[Name, Field(max_length=100, description="where it is used")]
    user: Annotated[Name, Field(max_length=150, description="a machine account's user name; null: oneself")] | None = (
        None
    )
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(ApiToken.Scope.values))]
    repositories: Annotated[
        list[Name],
        Field(max_length=MOST_REPOSITORIES, description="none: all its user may see", default_factory=list),
    ]
    days: Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)]


@router.get("/tokens", response=PageOf[TokenOut], summary="List tokens")
def index(request: ApiRequest, response: HttpResponse, paging: Query[Paging]) -> dict[str, Any]:
    """List your own tokens and those of machine accounts you answer for, the newest first."""
    return page(request, response, visible_tokens(request.user), paging)


@router.post("/tokens", response={201: NewTokenOut}, summary="Make a token")
@answers_with_a_secret
def new(request: ApiRequest, body: NewToken) -> Status[dict[str, Any]]:
    """Make a token. One that makes another gives it no more than it has itself."""
    user = request.user
    if body.user not in (None, user.username):
        machine = next((one for one in machines_run_by(user) if one.username == body.user), None)
        if machine is None:
            raise unknown("user")
        user = machine
    made, raw = create_token(
        actor=request.user,
        user=user,
        name=body.name,
        scopes=[str(scope) for scope in body.scopes],
        repositories=chosen_all(visible_repositories(request.user), "repositories", "gun", body.repositories),
        days=body.days,
    )
    return Status(201, {"token": raw, "about": made})


@router.get("/tokens/{int:pk}", response=TokenOut, summary="Show a token")
def show(request: ApiRequest, pk: Id) -> ApiToken:
    """Show what a token may do and when it was last used."""
    return found(visible_tokens(request.user), pk=pk)


@router.post("/tokens/{int:pk}/revoke", response=TokenOut, summary="Revoke a token")
def revoke(request: ApiRequest, pk: Id) -> ApiToken:
    """End a token at once."""
    return revoke_token(actor=request.user, token=found(visible_tokens(request.user), pk=pk))
