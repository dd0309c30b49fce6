"""The key matcher: whose key is this, and what does it vouch for."""

from __future__ import annotations

from typing import Annotated

from ninja import Router, Schema
from pydantic import Field

from signing.models import Key
from signing.selectors.key_matcher import Match, Place, match_keys, read_ids
from trustui.api.base import ApiRequest, Body, Pem, words
from trustui.api.guard import require_may_read

router = Router()

FoundCustody = Annotated[Key.Custody, words(Key.Custody)]


class PlaceOut(Schema):
    """One repository that trusts the key: as what, and which of its tags it signed."""

    repository: str
    parts: list[str]
    tags: list[str]

    @staticmethod
    def resolve_repository(place: Place) -> str:
        return place.repository.gun


class MatchOut(Schema):
    """One key that is known here; `custody`, `name`, `account` and `owner` are of the enrolled key, if there is one."""

    key_id: str
    other_ids: list[str]
    name: str | None
    account: str | None
    owner: str | None
    custody: FoundCustody | None
    signers: list[str]
    places: list[PlaceOut]

    @staticmethod
    def resolve_name(match: Match) -> str | None:
        return match.key.name if match.key else None

    @staticmethod
    def resolve_account(match: Match) -> str | None:
        return match.key.account.name if match.key else None

    @staticmethod
    def resolve_owner(match: Match) -> str | None:
        return match.key.owner.username if match.key and match.key.owner else None

    @staticmethod
    def resolve_custody(match: Match) -> str | None:
        return match.key.custody if match.key else None

    @staticmethod
    def resolve_signers(match: Match) -> list[str]:
        return [signer.name for signer in match.signers]


class FoundOut(Schema):
    """The ids that were read, and the keys among what you see that have them; none: not trusted here."""

    key_ids: list[str]
    matches: list[MatchOut]


class FindKey(Body):
    """An id (at least 12 hex digits), or the text of public keys and certificates. Private material is refused."""

    pem: Annotated[Pem, Field(examples=["5f" * 32], json_schema_extra={"writeOnly": True})]


@router.post("/key-matcher", response=FoundOut, summary="Find whose key it is")
def find(request: ApiRequest, body: FindKey) -> dict[str, object]:
    """Tell of a key whose it is, which signers hold it, which repositories trust it and what it signed."""
    require_may_read(request.user)
    ids = read_ids(body.pem)
    return {"key_ids": ids, "matches": match_keys(request.user, ids)}
