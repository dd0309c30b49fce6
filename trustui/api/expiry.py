"""What runs out, and what lapses then."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from signing.expiry import Ending, Kind
from signing.selectors.expiry import ExpiryFilter, visible_endings
from trustui.api.base import ApiRequest, PageOf, Paging, Text, page, words

router = Router()

EndingKind = Annotated[Kind, words(Kind)]


class EndingOut(Schema):
    """One thing that ends; `path` is the page about it. What servers renew by themselves is of the kind `server`."""

    kind: EndingKind
    what: str
    whose: str
    account: str | None
    repository: str | None
    ends: datetime
    days: int
    lapses: str
    path: str

    @staticmethod
    def resolve_account(ending: Ending) -> str | None:
        return ending.account.name if ending.account else None

    @staticmethod
    def resolve_repository(ending: Ending) -> str | None:
        return ending.repository.gun if ending.repository else None

    @staticmethod
    def resolve_days(ending: Ending) -> int:
        return ending.days_left(timezone.now())


class EndingFilter(Paging):
    """Which endings."""

    account: Text = ""
    kind: EndingKind | None = None
    days: Annotated[int, Field(ge=0, le=99999, description="ends within so many days, or is over")] | None = None
    month: Annotated[Text, Field(pattern=r"^(\d{4}-\d{2})?$", examples=["2027-01"])] = ""


@router.get("/expiry", response=PageOf[EndingOut], summary="List what runs out")
def index(request: ApiRequest, response: HttpResponse, wanted: Query[EndingFilter]) -> dict[str, Any]:
    """List metadata, certificates, tokens, roles, signers and authorities that end, the next first."""
    asked = ExpiryFilter(wanted.account, wanted.kind or "", wanted.days, wanted.month)
    return page(request, response, asked.apply(visible_endings(request.user), timezone.now()), wanted)
