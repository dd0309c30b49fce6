"""Who has which role in an account or in one repository of it, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Account, Membership, Repository, User
from signing.permissions import require
from signing.selectors.accounts import members_of
from signing.selectors.people import person_named
from signing.services.members import remove_member, set_member
from trustui.api import accounts, repositories
from trustui.api.accounts import AccountName
from trustui.api.base import ApiRequest, Body, Moment, PageOf, Paging, Text, found, page, unknown, words
from trustui.api.repositories import Gun

router = Router()

Role = Annotated[Membership.Role, words(Membership.Role)]
Username = Annotated[Text, Field(max_length=150, examples=["alice"])]


class MemberOut(Schema):
    """What one person may do there."""

    user: str
    role: Role
    repository: str | None
    ends_at: datetime | None

    @staticmethod
    def resolve_user(membership: Membership) -> str:
        return membership.user.username

    @staticmethod
    def resolve_repository(membership: Membership) -> str | None:
        return membership.repository.gun if membership.repository else None


class Member(Body):
    """A role, and when it ends."""

    role: Role
    ends_at: Annotated[Moment, Field(description="null: until it is taken")] | None = None


@router.get("/accounts/{slug:name}/members", response=PageOf[MemberOut], summary="List an account's members")
def list_of_account(
    request: ApiRequest, response: HttpResponse, name: AccountName, paging: Query[Paging]
) -> dict[str, Any]:
    """List who may do what in an account; ended roles too, until they are removed."""
    return page(request, response, members_of(_read(request, accounts.find(request, name))), paging)


@router.get("/repositories/{gun:gun}/-/members", response=PageOf[MemberOut], summary="List a repository's members")
def list_of_repository(request: ApiRequest, response: HttpResponse, gun: Gun, paging: Query[Paging]) -> dict[str, Any]:
    """List who may do what in one repository beyond its account."""
    return page(request, response, members_of(_read(request, repositories.find(request, gun))), paging)


@router.put("/accounts/{slug:name}/members/{str:username}", response=MemberOut, summary="Give a role in an account")
def of_account(request: ApiRequest, name: AccountName, username: Username, body: Member) -> Membership:
    """Give a person a role in an account, in place of the one they had."""
    account = accounts.find(request, name)
    user = _person(request, account, username)
    return set_member(actor=request.user, account=account, user=user, role=str(body.role), ends_at=body.ends_at)


@router.put(
    "/repositories/{gun:gun}/-/members/{str:username}", response=MemberOut, summary="Give a role in a repository"
)
def of_repository(request: ApiRequest, gun: Gun, username: Username, body: Member) -> Membership:
    """Give a person a role in one repository, in place of the one they had there."""
    repository = repositories.find(request, gun)
    return set_member(
        actor=request.user,
        account=repository.account,
        repository=repository,
        user=_person(request, repository, username),
        role=str(body.role),
        ends_at=body.ends_at,
    )


@router.delete("/accounts/{slug:name}/members/{str:username}", response={204: None}, summary="End an account's role")
def remove_from_account(request: ApiRequest, name: AccountName, username: Username) -> Status[None]:
    """End a person's part in an account. What they signed stays signed."""
    account = accounts.find(request, name)
    user = _member(request, account, username)
    remove_member(actor=request.user, account=account, user=user)
    return Status(204, None)


@router.delete(
    "/repositories/{gun:gun}/-/members/{str:username}", response={204: None}, summary="End a repository's role"
)
def remove_from_repository(request: ApiRequest, gun: Gun, username: Username) -> Status[None]:
    """End a person's part in one repository."""
    repository = repositories.find(request, gun)
    user = _member(request, repository, username)
    remove_member(actor=request.user, account=repository.account, repository=repository, user=user)
    return Status(204, None)


def _read(request: ApiRequest, place: Account | Repository) -> Account | Repository:
    require(request.user, "view", place)
    return place


def _person(request: ApiRequest, place: Account | Repository, username: str) -> User:
    require(request.user, "manage_members", place)  # before it is told whether a user name exists
    user = person_named(username)
    if user is None:
        raise unknown("username")
    return user


def _member(request: ApiRequest, place: Account | Repository, username: str) -> User:
    require(request.user, "manage_members", place)
    return found(members_of(place), user__username=username).user
