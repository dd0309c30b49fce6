"""Who the sender is to us."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Router, Schema

from signing.models import ApiToken, User
from signing.permissions import acting_token
from trustui.api.base import ApiRequest, words

router = Router()


class Me(Schema):
    """A person or machine account, and the token that speaks for them."""

    username: str
    name: str
    is_machine: bool
    is_administrator: bool
    token: str | None
    scopes: list[Annotated[ApiToken.Scope, words(ApiToken.Scope)]] | None
    repositories: list[str] | None
    expires_at: datetime | None


@router.get("/me", response=Me, summary="Who am I")
def show(request: ApiRequest) -> Me:
    """Tell whose token or session this is. The last four members are null for a session."""
    user: User = request.user
    token = acting_token(user)
    return Me(
        username=user.username,
        name=str(user),
        is_machine=user.is_machine,
        is_administrator=user.is_superuser,
        token=token.name if token else None,
        scopes=token.scopes if token else None,
        repositories=[repository.gun for repository in token.repositories.all()] if token else None,
        expires_at=token.expires_at if token else None,
    )
