"""The request as pages see it: who asks, and whether htmx asks for a part."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails

from signing.models import User


class HtmxRequest(HttpRequest):
    """A signed-in person's request behind `HtmxMiddleware`."""

    user: User
    htmx: HtmxDetails


def answers_part(request: HtmxRequest, target: str) -> bool:
    """Tell whether htmx asks for the part with that id, and not for a whole page out of its history."""
    return bool(request.htmx) and request.htmx.target == target and not request.htmx.history_restore_request


def with_vary(response: HttpResponse) -> HttpResponse:
    """Mark an answer that differs for htmx, so that no cache gives a part to a person who wants the page."""
    response.headers["Vary"] = ", ".join(filter(None, (response.headers.get("Vary"), "HX-Request, HX-Target")))
    return response
