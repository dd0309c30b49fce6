"""How the parts of the installation are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Router, Schema
from pydantic import Field

from signing import health
from signing.health import Kind
from signing.selectors.health import visible_parts
from trustui.api.base import ApiRequest, words

router = Router()

PartState = Literal["good", "warning", "broken", "unknown"]


class PartOut(Schema):
    """One part; `unknown` is one that nobody has looked at for a while, `checked_at` when somebody last did."""

    name: str
    kind: Annotated[Kind, words(Kind)]
    title: str
    state: PartState
    sentence: str
    next_step: str
    facts: dict[str, Any]
    checked_at: datetime | None
    since: datetime | None


class HealthOut(Schema):
    """The worst state among the parts you see, and each of them."""

    state: PartState
    parts: Annotated[list[PartOut], Field(description="those your work goes through; administrators see all")]


@router.get("/health", response=HealthOut, summary="Show how the parts are")
def index(request: ApiRequest) -> dict[str, Any]:
    """Show what works, what is broken and how it is put right, as it was last seen."""
    parts = visible_parts(request.user)
    return {"state": health.worst(parts), "parts": parts}
