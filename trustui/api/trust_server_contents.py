"""What lies on the built-in trust server: for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from ninja import Query, Router, Schema

from signing.permissions import require
from signing.selectors.trust_server_contents import (
    Contents,
    changes,
    contents_of,
    is_readable,
    roles_of,
    stored_repositories,
    who_may_push,
)
from trustui.api.base import ApiRequest, PageOf, Paging, Text, page
from trustui.api.repositories import Gun
from trustui.api.trust_servers import ServerName, find

router = Router()

LATEST_CHANGES = 20


class ContentsOut(Schema):
    """One repository on the server and what it takes."""

    gun: str
    versions: int
    stored: int
    changed_at: datetime | None
    account: str | None

    @staticmethod
    def resolve_account(contents: Contents) -> str | None:
        return contents.account.name if contents.account else None


class RoleOut(Schema):
    """The versions of one role that are still there."""

    role: str
    oldest: int
    newest: int
    versions: int
    stored: int
    changed_at: datetime


class ChangeOut(Schema):
    """One row of the changefeed."""

    gun: str
    version: int
    sha256: str
    category: str
    created_at: datetime


class ContentsDetail(Schema):
    """One repository with its roles, its latest changes, and who gets a token to publish it."""

    contents: ContentsOut
    roles: list[RoleOut]
    changes: list[ChangeOut]
    who_may_push: list[str]


class ContentsFilter(Paging):
    """Which repositories."""

    q: Text = ""


@router.get("/trust-servers/{slug:name}/contents", response=PageOf[ContentsOut], summary="List what it stores")
def index(
    request: ApiRequest, response: HttpResponse, name: ServerName, wanted: Query[ContentsFilter]
) -> dict[str, Any]:
    """List all repositories of the built-in server by name; not found where its data lie elsewhere."""
    _require_readable(request, name)
    given = page(request, response, stored_repositories(request.user, wanted.q.strip()), wanted)
    return given | {"items": contents_of([stored.gun for stored in given["items"]])}


@router.get(
    "/trust-servers/{slug:name}/contents/{gun:gun}", response=ContentsDetail, summary="Show what it stores of one"
)
def repository(request: ApiRequest, name: ServerName, gun: Gun) -> dict[str, Any]:
    """Show the versions of each role, the newest changes and who may push."""
    _require_readable(request, name)
    roles = roles_of(request.user, gun)
    if not roles:
        raise Http404
    (row,) = contents_of([gun])
    return {
        "contents": row,
        "roles": roles,
        "changes": changes(request.user, gun)[:LATEST_CHANGES],
        "who_may_push": [person.username for person in who_may_push(gun)],
    }


def _require_readable(request: ApiRequest, name: str) -> None:
    server = find(request, name)
    require(request.user, "read_trust_servers")
    if not server.is_builtin or not is_readable():
        raise Http404
