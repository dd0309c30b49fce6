"""How long a session lives: not idle for too long, and not for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from signing.models import User

BEGAN, SEEN = "trustui_began", "trustui_seen"
WRITE_EVERY = 60.0


class SessionRulesMiddleware:
    """End what was idle for SESSION_IDLE or is older than SESSION_LONGEST.

    A page that only follows work by itself does not keep its person signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User) and not _keeps(request):
            logout(request)
            messages.warning(request, gettext("You were signed out. Your session was too old; sign in again."))
        return self.get_response(request)


def begin(request: HttpRequest) -> None:
    """Note when the session of a sign-in began."""
    request.session[BEGAN] = request.session[SEEN] = time.time()


def _keeps(request: HttpRequest) -> bool:
    now, session = time.time(), request.session
    began, seen = session.get(BEGAN), session.get(SEEN)
    if began is None or seen is None:
        begin(request)  # it is older than these rules
        return True
    if now - began > settings.SESSION_LONGEST.total_seconds() or now - seen > settings.SESSION_IDLE.total_seconds():
        return False
    if now - seen > WRITE_EVERY and not _follows_by_itself(request):
        session[SEEN] = now
        UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())
    return True


def _follows_by_itself(request: HttpRequest) -> bool:
    return request.method == "GET" and "HX-Request" in request.headers
