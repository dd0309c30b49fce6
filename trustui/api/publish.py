"""Publishing an image, signing a digest, pulling a verified tag."""

from __future__ import annotations

from typing import Annotated

from ninja import Router, Status
from pydantic import Field

from signing.models import Operation, Signer
from signing.selectors.signers import visible_signers
from signing.services.operations import publish_image, pull_image, sign_digest
from trustui.api.base import LARGEST_ID, ApiRequest, Body, Flag, Name, Secret, Text, chosen
from trustui.api.operations import OperationOut
from trustui.api.repositories import Gun, Tag, find

router = Router()

SignerName = Annotated[Name, Field(max_length=100, description="a signer of the repository's account, by name")]


class Publish(Body):
    """A source image and where it goes."""

    source: Annotated[Name, Field(max_length=512, description="where it comes from, with its tag or digest")]
    tag: Tag
    signer: SignerName | None = None
    passphrase: Secret | None = None
    from_local: Annotated[Flag, Field(description="it is on the Docker Engine already: do not pull")] = False
    sign: Annotated[Flag, Field(description="false only where the account allows unsigned tags")] = True


class SignDigest(Body):
    """A manifest that is in the registry already."""

    tag: Tag
    digest: Annotated[Text, Field(min_length=64, max_length=71, description="sha256: and 64 hex digits")]
    length: Annotated[int, Field(strict=True, ge=1, le=LARGEST_ID, description="bytes of the manifest")]
    signer: SignerName
    passphrase: Secret | None = None


@router.post("/repositories/{gun:gun}/-/publish", response={202: OperationOut}, summary="Publish an image")
def image(request: ApiRequest, gun: Gun, body: Publish) -> Status[Operation]:
    """Pull, push, sign and only then move the public tag."""
    repository = find(request, gun)
    given = body.model_dump()
    given["signer"] = _signer(request, repository.account_id, body.signer)
    return Status(202, publish_image(actor=request.user, repository=repository, **given))


@router.post("/repositories/{gun:gun}/-/sign", response={202: OperationOut}, summary="Sign a digest")
def digest(request: ApiRequest, gun: Gun, body: SignDigest) -> Status[Operation]:
    """Sign what is in the registry already, with a key that is sealed on this server."""
    repository = find(request, gun)
    given = body.model_dump() | {"signer": _signer(request, repository.account_id, body.signer)}
    return Status(202, sign_digest(actor=request.user, repository=repository, **given))


@router.post("/repositories/{gun:gun}/-/tags/{str:tag}/pull", response={202: OperationOut}, summary="Pull a tag")
def pull(request: ApiRequest, gun: Gun, tag: Tag) -> Status[Operation]:
    """Pull a tag into the Docker Engine by its verified digest."""
    return Status(202, pull_image(actor=request.user, repository=find(request, gun), tag=tag))


def _signer(request: ApiRequest, account: int, name: str | None) -> Signer | None:
    if name is None:
        return None
    return chosen(visible_signers(request.user).filter(account=account), "signer", name=name)
