"""Trust servers: the built-in one and any other Notary v1 server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import TrustServer
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.trust_servers import change_trust_server, create_trust_server
from trustui.api.base import ApiRequest, Body, Name, PageOf, Paging, Secret, Text, found, page
from trustui.api.marks import answers_with_a_file

router = Router()

ServerName = Annotated[Text, Field(max_length=50, examples=["builtin"])]
Url = Annotated[Name, Field(max_length=200, description="https://host or https://host:port")]
CaPem = Annotated[Text, Field(max_length=64 * 1024, description="certificates; empty: the system's own authorities")]
LoginName = Annotated[Text, Field(max_length=255)]


class TrustServerOut(Schema):
    """One Notary v1 server."""

    name: str
    url: str
    ca_pem: str
    username: str
    is_builtin: bool
    created_at: datetime


class NewTrustServer(Body):
    """A server that accounts may use."""

    name: Annotated[Name, Field(max_length=50)]
    url: Url
    ca_pem: CaPem = ""
    username: LoginName = ""
    password: Secret = ""


class TrustServerChange(Body):
    """What is to change; what is left out stays. An empty password removes the stored one."""

    url: Url | None = None
    ca_pem: CaPem | None = None
    username: LoginName | None = None
    password: Secret | None = None


@router.get("/trust-servers", response=PageOf[TrustServerOut], summary="List trust servers")
def index(request: ApiRequest, response: HttpResponse, paging: Query[Paging]) -> dict[str, Any]:
    """List the trust servers of your accounts."""
    return page(request, response, visible_trust_servers(request.user), paging)


@router.post("/trust-servers", response={201: TrustServerOut}, summary="Add a trust server")
def new(request: ApiRequest, body: NewTrustServer) -> Status[TrustServer]:
    """Name a Notary v1 server that accounts may use."""
    return Status(201, create_trust_server(actor=request.user, **body.model_dump()))


@router.get("/trust-servers/{slug:name}", response=TrustServerOut, summary="Show a trust server")
def show(request: ApiRequest, name: ServerName) -> TrustServer:
    """Show where a trust server is and whom to believe about it."""
    return find(request, name)


@router.patch("/trust-servers/{slug:name}", response=TrustServerOut, summary="Change a trust server")
def change(request: ApiRequest, name: ServerName, body: TrustServerChange) -> TrustServer:
    """Change what is given and keep the rest."""
    given = body.model_dump(exclude_unset=True)
    return change_trust_server(actor=request.user, trust_server=find(request, name), **given)


@router.get("/trust-servers/{slug:name}/ca.crt", response={200: None}, summary="Download its authority")
@answers_with_a_file("application/x-x509-ca-cert")
def ca_file(request: ApiRequest, name: ServerName) -> HttpResponse:
    """Give the certificates of the authority that issued its certificate, where it has one of its own."""
    server = find(request, name)
    if not server.ca_pem:
        raise Http404
    return HttpResponse(server.ca_pem, content_type="application/x-x509-ca-cert")


def find(request: ApiRequest, name: str) -> TrustServer:
    """Find a trust server that this person may see by its name."""
    return found(visible_trust_servers(request.user), name=name)
