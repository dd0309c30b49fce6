"""What happens around every page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from signing.trust.errors import TrustError
from trustui.errors import explain

Next = Callable[[HttpRequest], HttpResponse]

# What a person with a one-time password may still do: choose their own, leave, and read without contrast problems.
OPEN_TO_ONE_TIME_PASSWORDS = frozenset({"account_change_password", "account_logout", "theme", "health"})


class TrustErrorMiddleware:
    """Answer with a plain sentence and its next step where a page let a `TrustError` through."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TrustError):
            return None
        explanation = explain(error)
        return render(request, "errors/refused.html", {"explanation": explanation}, status=explanation.status)


class OneTimePasswordMiddleware:
    """Lead a person who still has a handed-out password to the page that replaces it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        match = request.resolver_match
        if not getattr(request.user, "must_change_password", False):
            return None
        if match is not None and match.url_name in OPEN_TO_ONE_TIME_PASSWORDS:
            return None
        return redirect(reverse("account_change_password"))
