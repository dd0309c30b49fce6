"""Keys: made or imported by the signing worker, enrolled by their public half, certified."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import Http404, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from signing.models import Key, Operation, User
from signing.selectors.keys import visible_keys
from signing.selectors.people import person_named
from signing.selectors.repositories import visible_repositories
from signing.services.keys import attach_certificate, enrol_public_key, generate_key, import_key, request_csr
from trustui.api.base import (
    ApiRequest,
    Body,
    Flag,
    Name,
    PageOf,
    Paging,
    Pem,
    Secret,
    Text,
    account_named,
    chosen,
    found,
    page,
    unknown,
    words,
)
from trustui.api.marks import answers_with_a_file
from trustui.api.operations import OperationOut

router = Router()

Purpose = Annotated[Key.Purpose, words(Key.Purpose)]
KeyId = Annotated[Text, Field(max_length=64, examples=["5f" * 32])]
KeyName = Annotated[Text, Field(max_length=100, description="a signer's name; root and repository keys need none")]
Unattended = Annotated[Flag, Field(description="the signing worker keeps the passphrase too, so that nobody is asked")]


class KeyOut(Schema):
    """A public key, where its private half lives, and what it is for."""

    key_id: str
    name: str
    purpose: Purpose
    custody: Annotated[Key.Custody, words(Key.Custody)]
    keytype: str
    account: str
    gun: str
    owner: str | None
    asks_passphrase: bool
    location: str
    allowed_guns: list[str]
    public_pem: str
    csr_pem: str
    certificate_pem: str
    certificate_expires: datetime | None
    created_at: datetime

    @staticmethod
    def resolve_account(key: Key) -> str:
        return key.account.name

    @staticmethod
    def resolve_owner(key: Key) -> str | None:
        return key.owner.username if key.owner else None


class KeyFilter(Paging):
    """Which keys."""

    purpose: Purpose | None = None
    account: Text = ""


class GenerateKey(Body):
    """A key pair for the signing worker to make."""

    account: Name
    purpose: Purpose = Key.Purpose.SIGNER
    name: KeyName = ""
    passphrase: Annotated[Secret, Field(min_length=8)]
    unattended: Unattended = False


class ImportKey(Body):
    """A private key file that docker or notary wrote, and the passphrase it is encrypted with."""

    account: Name
    purpose: Purpose = Key.Purpose.SIGNER
    name: KeyName = ""
    pem: Annotated[Pem, Field(json_schema_extra={"writeOnly": True})]
    passphrase: Annotated[Secret, Field(min_length=1)]
    unattended: Unattended = False


class EnrolKey(Body):
    """The public half of a key that stays with its holder, who is asked for each signature."""

    account: Name
    purpose: Purpose = Key.Purpose.SIGNER
    name: KeyName = ""
    pem: Pem
    repository: Annotated[Text, Field(max_length=255, description="which one a repository key is for")] = ""
    owner: Annotated[Text, Field(max_length=150, description="who holds a root or repository key; else you")] = ""


class MakeCsr(Body):
    """The passphrase, where the key asks for one."""

    passphrase: Secret | None = None


class AttachCertificate(Body):
    """What an authority issued, the leaf first and then its chain."""

    pem: Pem


@router.get("/keys", response=PageOf[KeyOut], summary="List keys")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[KeyFilter]) -> dict[str, Any]:
    """List the keys you may see. A machine account sees none."""
    rows = visible_keys(request.user)
    if wanted.purpose:
        rows = rows.filter(purpose=wanted.purpose)
    if wanted.account:
        rows = rows.filter(account__name=wanted.account)
    return page(request, response, rows, wanted)


@router.post("/keys/generate", response={202: OperationOut}, summary="Make a key")
def generate(request: ApiRequest, body: GenerateKey) -> Status[Operation]:
    """Have the signing worker make a root or signer key, encrypted under this passphrase."""
    given = body.model_dump() | {"account": account_named(request, body.account), "purpose": str(body.purpose)}
    return Status(202, generate_key(actor=request.user, **given))


@router.post("/keys/import", response={202: OperationOut}, summary="Import a private key")
def import_file(request: ApiRequest, body: ImportKey) -> Status[Operation]:
    """Have the signing worker take over a key file. It is sealed to that worker at once and never shown again."""
    given = body.model_dump(exclude={"pem"}) | {"account": account_named(request, body.account)}
    given |= {"purpose": str(body.purpose), "key_pem": body.pem}
    return Status(202, import_key(actor=request.user, **given))


@router.post("/keys/enrol", response={201: KeyOut}, summary="Enrol a public key")
def enrol(request: ApiRequest, body: EnrolKey) -> Status[Key]:
    """Store the public half of a key whose private half stays with its holder."""
    account = account_named(request, body.account)
    known = visible_repositories(request.user).filter(account=account)
    made = enrol_public_key(
        actor=request.user,
        account=account,
        name=body.name,
        public_pem=body.pem,
        purpose=str(body.purpose),
        repository=chosen(known, "repository", gun=body.repository) if body.repository else None,
        owner=_person(body.owner) if body.owner else None,
    )
    return Status(201, made)


def _person(name: str) -> User:
    person = person_named(name)
    if person is None:
        raise unknown("owner")
    return person


@router.get("/keys/{str:key_id}", response=KeyOut, summary="Show a key")
def show(request: ApiRequest, key_id: KeyId) -> Key:
    """Show a key's public half, certificate request and certificate."""
    return found(visible_keys(request.user), key_id=key_id)


@router.get("/keys/{str:key_id}/{str:part}.pem", response={200: None}, summary="Download a part of a key")
@answers_with_a_file("application/x-pem-file")
def download(request: ApiRequest, key_id: KeyId, part: Literal["public", "csr", "certificate"]) -> HttpResponse:
    """Give the PEM text alone."""
    key = found(visible_keys(request.user), key_id=key_id)
    texts = {"public": key.public_pem, "csr": key.csr_pem, "certificate": key.certificate_pem}
    if not texts[part]:
        raise Http404
    return HttpResponse(texts[part], content_type="application/x-pem-file")


@router.post("/keys/{str:key_id}/csr", response={202: OperationOut}, summary="Make a certificate request")
def csr(request: ApiRequest, key_id: KeyId, body: MakeCsr) -> Status[Operation]:
    """Have the signing worker make a certificate request for a key it holds."""
    key = found(visible_keys(request.user), key_id=key_id)
    return Status(202, request_csr(actor=request.user, key=key, passphrase=body.passphrase))


@router.post("/keys/{str:key_id}/certificate", response=KeyOut, summary="Attach a certificate")
def certificate(request: ApiRequest, key_id: KeyId, body: AttachCertificate) -> Key:
    """Keep the certificate that an authority issued for this key, with its chain."""
    key = found(visible_keys(request.user), key_id=key_id)
    return attach_certificate(actor=request.user, key=key, pem=body.pem)
