"""What every page shows around its content: theme, navigation, what waits for the person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from signing.models import User
from signing.permissions import may
from signing.selectors.requests import waiting_for

THEMES = ("light", "dark", "auto")
A_YEAR = 365 * 24 * 3600


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give every template the theme, the menu and the number of requests that wait (counted only where it is shown)."""
    theme = request.COOKIES.get("theme", "auto")
    return {
        "theme": theme if theme in THEMES else "auto",
        "themes": (("light", "Light", "sun"), ("dark", "Dark", "moon"), ("auto", "Automatic", "monitor")),
        "waiting_count": _counted_once(request),
        "may_manage_people": _may_manage_people(request),
    }


def _may_manage_people(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return isinstance(user, User) and may(user, "manage_people")


def _counted_once(request: HttpRequest) -> Callable[[], int]:
    counted: list[int] = []

    def count() -> int:
        user = getattr(request, "user", None)
        if not counted:
            counted.append(waiting_for(user).count() if user and user.is_authenticated else 0)
        return counted[0]

    return count


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the chosen theme in a cookie and return to where the person was."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    response = redirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    return response


@require_GET
def health(request: HttpRequest) -> JsonResponse:
    """Say that the web process answers; the operator's probe, open to everybody."""
    return JsonResponse({"status": "ok"})
