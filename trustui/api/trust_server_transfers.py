"""Repositories into the built-in trust server and out of it: for administrators."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import Http404
from ninja import Router, Status
from pydantic import Field

from signing.models import Operation
from signing.permissions import require
from signing.selectors.keys import visible_keys
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.trust_server_transfers import MOST_GUNS, export_repositories, import_repositories
from trustui.api.base import ApiRequest, Body, Name, Secret, Text, chosen
from trustui.api.operations import OperationOut
from trustui.api.trust_servers import ServerName, find

router = Router()

Guns = Annotated[list[Name], Field(min_length=1, max_length=MOST_GUNS)]
Database = Annotated[Secret, Field(description="postgres://USER:PASSWORD@HOST/NAME")]


class ImportRepositories(Body):
    """Where repositories come from, which, and how this server comes to sign for them."""

    source: Annotated[Name, Field(max_length=50, description="the name of another trust server")]
    guns: Guns
    way: Literal["mirror", "signer", "root"] = "mirror"
    signer_database: Database = ""
    signer_passphrase: Secret = ""
    root_key: Annotated[Text, Field(max_length=64, description="the id of a root key that is sealed here")] | None = (
        None
    )
    root_passphrase: Secret = ""


class ExportRepositories(Body):
    """Which repositories, and the two databases of a notary-server that is stopped."""

    guns: Guns
    server_database: Database
    signer_database: Database
    signer_alias: Annotated[Name, Field(max_length=100)]
    signer_passphrase: Secret


@router.post("/trust-servers/{slug:name}/import", response={202: OperationOut}, summary="Import repositories")
def bring_in(request: ApiRequest, name: ServerName, body: ImportRepositories) -> Status[Operation]:
    """Have every version of these repositories copied into the built-in server, byte for byte."""
    _require_builtin(request, name)
    given = body.model_dump()
    others = visible_trust_servers(request.user).filter(is_builtin=False)
    given["source"] = chosen(others, "source", name=body.source)
    given["root_key"] = chosen(visible_keys(request.user), "root_key", key_id=body.root_key) if body.root_key else None
    return Status(202, import_repositories(actor=request.user, **given))


@router.post("/trust-servers/{slug:name}/export", response={202: OperationOut}, summary="Export repositories")
def give_back(request: ApiRequest, name: ServerName, body: ExportRepositories) -> Status[Operation]:
    """Have these repositories written into the databases of a notary-server that is stopped."""
    _require_builtin(request, name)
    return Status(202, export_repositories(actor=request.user, **body.model_dump()))


def _require_builtin(request: ApiRequest, name: str) -> None:
    server = find(request, name)
    require(request.user, "manage_trust_servers")
    if not server.is_builtin:
        raise Http404
