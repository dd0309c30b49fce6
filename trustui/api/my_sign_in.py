"""One's own sessions. Second factors are enrolled in a browser only."""

from __future__ import annotations

from datetime import datetime

from allauth.usersessions.models import UserSession
from ninja import Router, Schema, Status

from signing.selectors.sign_in import sessions_of
from signing.services.sign_in import end_other_sessions, end_session
from trustui.api.base import ApiRequest, Id
from trustui.api.people import EndedOut

router = Router()


class SessionOut(Schema):
    """One place where this person is signed in."""

    id: int
    ip: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime


@router.get("/me/sessions", response=list[SessionOut], summary="List your sessions")
def show(request: ApiRequest) -> list[UserSession]:
    """List where you are signed in."""
    return list(sessions_of(request.user))


@router.post("/me/sessions/end", response=EndedOut, summary="End your other sessions")
def sessions_end(request: ApiRequest) -> dict[str, int]:
    """Sign yourself out everywhere but here; with a token, everywhere."""
    kept = request.session.session_key if not hasattr(request.user, "acting_token") else None
    return {"ended": end_other_sessions(actor=request.user, kept_key=kept)}


@router.post("/me/sessions/{int:pk}/end", response={204: None}, summary="End one of your sessions")
def session_end(request: ApiRequest, pk: Id) -> Status[None]:
    """Sign yourself out in one place."""
    end_session(actor=request.user, session_pk=pk)
    return Status(204, None)
