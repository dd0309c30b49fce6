"""What every page shows around its content: theme, navigation, what waits for the person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from signing.models import User
from signing.permissions import may
from signing.selectors.notices import unread
from signing.selectors.people import leads_an_account
from signing.selectors.requests import anything_is_open, waiting_for

THEMES = ("light", "dark", "auto")
A_YEAR = 365 * 24 * 3600


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give every template the theme, the menu and the numbers of what waits (counted only where they are shown)."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "themes": (("light", _("Light"), "sun"), ("dark", _("Dark"), "moon"), ("auto", _("Automatic"), "monitor")),
        "waiting_count": lambda: counts_of(request).waiting,
        "inbox_count": lambda: counts_of(request).inbox,
        "may_read_people": _signed_in(request, lambda user: may(user, "read_people")),
        "may_run_machines": _signed_in(request, leads_an_account),
    }


def _signed_in(request: HttpRequest, holds: Callable[[User], bool]) -> Callable[[], bool]:
    """Ask it of who is signed in, where a template wants to know."""

    def ask() -> bool:
        user = getattr(request, "user", None)
        return isinstance(user, User) and holds(user)

    return ask


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for a person: requests to decide, and these with what they were told and have not read."""

    waiting: int = 0
    inbox: int = 0


def counts_of(request: HttpRequest) -> Counts:
    """Count what waits for who is signed in, once for each request of theirs."""
    counted = getattr(request, "_counts", None)
    if not isinstance(counted, Counts):
        user = getattr(request, "user", None)
        counted = _count(user) if isinstance(user, User) else Counts()
        request._counts = counted  # type: ignore[attr-defined]  # nobody else reads it
    return counted


def _count(user: User) -> Counts:
    waiting = waiting_for(user).count() if anything_is_open() else 0
    return Counts(waiting, waiting + unread(user).count())


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the chosen theme in a cookie and return to where the person was."""
    response = _back(request)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the chosen language in a cookie, as the theme is: a browser's choice, signed in or not."""
    response = _back(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",
            httponly=True,
            secure=request.is_secure(),
        )
    return response


def _back(request: HttpRequest) -> HttpResponse:
    """Return to where the person was, if that is here."""
    back = request.POST.get("next", "/")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else "/")


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Say that the web process answers; the operator's probe, open to everybody."""
    return JsonResponse({"status": "ok"})
