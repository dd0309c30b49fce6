"""Keys in tokens and key services: enrol one, and say what it may sign."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Router, Status
from pydantic import Field

from signing.models import Key, Operation
from signing.selectors.keys import visible_keys
from signing.selectors.repositories import visible_repositories
from signing.services.held_keys import change_allowed_guns, enrol_held_key
from trustui.api.base import ApiRequest, Body, Name, Secret, Text, account_named, chosen, found
from trustui.api.keys import KeyId, KeyName, KeyOut, Purpose
from trustui.api.operations import OperationOut

router = Router()

Guns = Annotated[
    list[Annotated[Text, Field(max_length=255)]],
    Field(max_length=100, description="repositories, or beginnings of their names that end with /*"),
]
LOCATION = "pkcs11:token=LABEL;object=LABEL, awskms:REGION/KEY-ID or vault:MOUNT/NAME"


class EnrolHeldKey(Body):
    """A key that stays in its token or key service. Without a PIN the signing worker's settings hold it."""

    account: Name
    purpose: Purpose = Key.Purpose.SIGNER
    name: KeyName = ""
    location: Annotated[Name, Field(description=LOCATION, examples=["pkcs11:token=ops;object=alice"])]
    pin: Secret = ""
    allowed_guns: Guns = Field(default_factory=list)
    repository: Annotated[Text, Field(max_length=255, description="which one a repository key is for")] = ""


class AllowedGuns(Body):
    """What a key in a key service may sign from now on."""

    allowed_guns: Guns


@router.post("/keys/enrol-held", response={202: OperationOut}, summary="Enrol a key in a token or key service")
def enrol(request: ApiRequest, body: EnrolHeldKey) -> Status[Operation]:
    """Have the signing worker read the key's public half there, and have it sign a challenge."""
    given: dict[str, Any] = body.model_dump() | {"account": account_named(request, body.account)}
    given["purpose"] = str(body.purpose)
    given["repository"] = (
        chosen(visible_repositories(request.user), "repository", gun=body.repository) if body.repository else None
    )
    return Status(202, enrol_held_key(actor=request.user, **given))


@router.post("/keys/{str:key_id}/allowed", response=KeyOut, summary="Change what a key in a key service may sign")
def allow(request: ApiRequest, key_id: KeyId, body: AllowedGuns) -> Key:
    """Put another list in force at once; the signing worker looks at it before each signature."""
    key = found(visible_keys(request.user), key_id=key_id)
    return change_allowed_guns(actor=request.user, key=key, allowed_guns=body.allowed_guns)
