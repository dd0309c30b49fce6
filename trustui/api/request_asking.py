"""Ask for a change, of each kind."""

from __future__ import annotations

from typing import Annotated, Literal

from ninja import Router, Status
from pydantic import Field

from signing.models import Account, ChangeRequest, Repository, Signer
from signing.selectors.keys import visible_keys
from signing.selectors.repositories import visible_repositories
from signing.selectors.signers import visible_signers
from signing.services import requests as services
from trustui.api.base import (
    LARGEST_ID,
    ApiRequest,
    Body,
    Flag,
    Id,
    Moment,
    Name,
    Number,
    Reason,
    Text,
    account_named,
    chosen,
    chosen_all,
)
from trustui.api.repositories import Gun, Tag
from trustui.api.repositories import find as repository_named
from trustui.api.requests import RequestDetail, find

router = Router()

MOST_REPOSITORIES = 500

Guns = Annotated[list[Name], Field(min_length=1, max_length=MOST_REPOSITORIES)]
SignerId = Annotated[Number, Field(description="a signer's id")]


class AskForSigner(Body):
    """A signer, the repositories it should sign, and why."""

    signer: SignerId
    repositories: Guns
    reason: Reason = ""
    ends_at: Annotated[Moment, Field(description="when it is taken out again")] | None = None
    removes_itself: Annotated[Flag, Field(description="the approval also covers taking it out then")] = False


class AskForRemoval(Body):
    """A signer and the repositories it should sign no more."""

    signer: SignerId
    repositories: Guns
    reason: Reason = ""


class AskForRotation(Body):
    """Which key is to be replaced, and in which repositories of one account."""

    account: Name
    repositories: Guns
    role: Literal["root", "targets", "snapshot"]
    keys: Annotated[
        list[Annotated[Text, Field(max_length=64)]],
        Field(
            max_length=20,
            default_factory=list,
            description="ids of enrolled keys that take its place; none: a new one is made",
        ),
    ]
    reason: Reason = ""


class AskForSignature(Body):
    """A manifest that is in the registry already, and who should sign it."""

    tag: Tag
    digest: Annotated[Text, Field(min_length=64, max_length=71, description="sha256: and 64 hex digits")]
    length: Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID, description="bytes of the manifest")]
    signer: Annotated[Name, Field(max_length=100, description="a signer of the repository's account, by name")]
    reason: Reason = ""


class AskForRevocation(Body):
    """Why a tag should not be signed any more."""

    reason: Reason = ""


class ChangeRequested(Body):
    """Other repositories than before."""

    repositories: Guns
    reason: Reason | None = None


@router.post("/requests/signer", response={201: RequestDetail}, summary="Ask for a signer")
def signer(request: ApiRequest, body: AskForSigner) -> Status[ChangeRequest]:
    """Ask that a signer may sign these repositories. Somebody else has to approve it."""
    wanted = _signer(request, body.signer)
    made = services.request_signer(
        actor=request.user,
        signer=wanted,
        repositories=_repositories(request, wanted.account, body.repositories),
        reason=body.reason,
        ends_at=body.ends_at,
        removes_itself=body.removes_itself,
    )
    return Status(201, find(request, made.pk))


@router.post("/requests/removal", response={201: RequestDetail}, summary="Ask for a signer's removal")
def removal(request: ApiRequest, body: AskForRemoval) -> Status[ChangeRequest]:
    """Ask that a signer signs these repositories no more."""
    wanted = _signer(request, body.signer)
    repositories = _repositories(request, wanted.account, body.repositories)
    made = services.request_signer_removal(
        actor=request.user, signer=wanted, repositories=repositories, reason=body.reason
    )
    return Status(201, find(request, made.pk))


@router.post("/requests/rotation", response={201: RequestDetail}, summary="Ask for another key")
def rotation(request: ApiRequest, body: AskForRotation) -> Status[ChangeRequest]:
    """Ask that a new key takes the place of an old one. No signed tag changes."""
    account = account_named(request, body.account)
    made = services.request_rotation(
        actor=request.user,
        repositories=_repositories(request, account, body.repositories),
        role=body.role,
        keys=chosen_all(visible_keys(request.user).filter(account=account), "keys", "key_id", body.keys),
        reason=body.reason,
    )
    return Status(201, find(request, made.pk))


@router.post(
    "/repositories/{gun:gun}/-/requests/signature", response={201: RequestDetail}, summary="Ask for a signature"
)
def signature(request: ApiRequest, gun: Gun, body: AskForSignature) -> Status[ChangeRequest]:
    """Ask that a digest is signed as a tag, where the policy wants approvals or somebody else holds the key."""
    repository = repository_named(request, gun)
    known = visible_signers(request.user).filter(account=repository.account_id)
    given = body.model_dump() | {"signer": chosen(known, "signer", name=body.signer)}
    made = services.request_signature(actor=request.user, repository=repository, **given)
    return Status(201, find(request, made.pk))


@router.post(
    "/repositories/{gun:gun}/-/tags/{str:tag}/requests/revocation",
    response={201: RequestDetail},
    summary="Ask to revoke a tag",
)
def revocation(request: ApiRequest, gun: Gun, tag: Tag, body: AskForRevocation) -> Status[ChangeRequest]:
    """Ask that a tag is signed no more."""
    made = services.request_revocation(
        actor=request.user, repository=repository_named(request, gun), tag=tag, reason=body.reason
    )
    return Status(201, find(request, made.pk))


@router.post("/requests/{int:pk}/change", response=RequestDetail, summary="Change a request")
def change(request: ApiRequest, pk: Id, body: ChangeRequested) -> ChangeRequest:
    """Ask for other repositories than before; what was approved so far counts no more."""
    asked = find(request, pk)
    repositories = _repositories(request, asked.account, body.repositories)
    services.change_request(actor=request.user, request=asked, repositories=repositories, reason=body.reason)
    return find(request, pk)


def _signer(request: ApiRequest, pk: int) -> Signer:
    return chosen(visible_signers(request.user), "signer", pk=pk)


def _repositories(request: ApiRequest, account: Account, guns: list[str]) -> list[Repository]:
    return chosen_all(visible_repositories(request.user).filter(account=account), "repositories", "gun", guns)
