"""Repositories: the list, one with its signers and tags, and checking it now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Operation, Repository, SignedTag
from signing.selectors.inspection import as_json
from signing.selectors.repositories import tags_of, visible_repositories
from signing.services.repositories import check_now, create_repository
from trustui.api.base import ApiRequest, Body, Name, PageOf, Paging, Text, account_named, found, page, words
from trustui.api.operations import OperationOut

router = Router()

Gun = Annotated[Text, Field(max_length=255, examples=["registry.example.com/team/app"])]
Verdict = Annotated[Repository.Verdict, words(Repository.Verdict)]
Tag = Annotated[Text, Field(min_length=1, max_length=128, examples=["1.4.0"])]


class RepositoryOut(Schema):
    """One GUN, as the last check left it."""

    gun: str
    account: str
    description: str
    verdict: Verdict
    reason: str
    next_step: str
    checked_at: datetime | None
    verified_at: datetime | None
    tag_count: int

    @staticmethod
    def resolve_account(repository: Repository) -> str:
        return repository.account.name


class DelegatedSigner(Schema):
    """A signer as trust data names it."""

    name: str
    keys: list[str]


class RepositoryDetail(RepositoryOut):
    """The same with who may sign and the keys above them."""

    trust_server: str
    signers: list[DelegatedSigner]
    administrative_keys: dict[str, list[str]]
    left_out: dict[str, str]

    @staticmethod
    def resolve_trust_server(repository: Repository) -> str:
        return repository.account.trust_server.url


class TagOut(Schema):
    """One signed tag."""

    tag: str
    digest: str
    length: int
    signers: list[str]
    first_seen: datetime

    @staticmethod
    def resolve_digest(tag: SignedTag) -> str:
        return f"sha256:{tag.digest}"


class RepositoryFilter(Paging):
    """Which repositories."""

    q: Text = ""
    account: Text = ""
    verdict: Verdict | None = None


class NewRepository(Body):
    """A repository to watch."""

    account: Name
    path: Annotated[Name, Field(max_length=200, description="below the account's namespace, without a tag")]
    description: Annotated[Text, Field(max_length=200)] = ""


@router.get("/repositories", response=PageOf[RepositoryOut], summary="List repositories")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[RepositoryFilter]) -> dict[str, Any]:
    """List the repositories you may see, by name."""
    rows = visible_repositories(request.user, wanted.q)
    if wanted.account:
        rows = rows.filter(account__name=wanted.account)
    if wanted.verdict:
        rows = rows.filter(verdict=wanted.verdict)
    return page(request, response, rows, wanted)


@router.post("/repositories", response={201: RepositoryDetail}, summary="Add a repository")
def new(request: ApiRequest, body: NewRepository) -> Status[Repository]:
    """Watch one more repository. Its trust server is asked about it when it is checked."""
    account = account_named(request, body.account)
    made = create_repository(actor=request.user, account=account, path=body.path, description=body.description)
    return Status(201, found(visible_repositories(request.user), pk=made.pk))


@router.get("/repositories/{gun:gun}/-/tags", response=PageOf[TagOut], summary="List signed tags")
def tags(request: ApiRequest, response: HttpResponse, gun: Gun, paging: Query[Paging]) -> dict[str, Any]:
    """List the tags whose signatures verified, in the order `docker trust inspect` has them."""
    return page(request, response, tags_of(find(request, gun)), paging)


@router.get("/repositories/{gun:gun}/-/tags/{str:tag}", response=TagOut, summary="Show a signed tag")
def tag(request: ApiRequest, gun: Gun, tag: Tag) -> SignedTag:
    """Tell which digest a tag is signed with, and by whom."""
    return found(tags_of(find(request, gun)), tag=tag)


@router.get("/repositories/{gun:gun}/-/inspect", response=list[dict[str, Any]], summary="What docker would print")
def inspect(request: ApiRequest, gun: Gun) -> HttpResponse:
    """Give the very JSON that `docker trust inspect` prints; an empty list where there is no trust data."""
    repository = find(request, gun)
    text = as_json(repository) if repository.administrative_keys else "[]"
    return HttpResponse(text, content_type="application/json")


@router.post("/repositories/{gun:gun}/-/check", response={202: OperationOut}, summary="Check a repository now")
def check(request: ApiRequest, gun: Gun) -> Status[Operation]:
    """Ask the trust server now. A check that waits already is given as it is."""
    return Status(202, check_now(actor=request.user, repository=find(request, gun)))


@router.get("/repositories/{gun:gun}", response=RepositoryDetail, summary="Show a repository")
def show(request: ApiRequest, gun: Gun) -> Repository:
    """Tell who may sign it and what its last check found."""
    return find(request, gun)


def find(request: ApiRequest, gun: str) -> Repository:
    """Find a repository that this person may see by its name."""
    return found(visible_repositories(request.user), gun=gun)
