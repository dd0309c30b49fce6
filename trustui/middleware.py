"""What happens around every page."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from structlog.contextvars import bound_contextvars

from signing import queue
from signing.trust.errors import TrustError
from trustui.errors import PROBLEM_TYPE, Problem, explain, problem_of_status

Next = Callable[[HttpRequest], HttpResponse]

API = "/api/"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")

# What a person with a one-time password may still do: choose their own, leave, and read without contrast problems.
OPEN_TO_ONE_TIME_PASSWORDS = frozenset({"account_change_password", "account_logout", "theme", "language", "health"})


def id_of(request: HttpRequest) -> str:
    """Give the id under which logs, audit events and answers know this request."""
    return str(getattr(request, "request_id", ""))


def problem_answer(request: HttpRequest, problem: Problem) -> JsonResponse:
    """Answer a program with a problem document."""
    document = problem.document(id_of(request))
    return JsonResponse(document, status=document["status"], content_type=PROBLEM_TYPE)


class RequestIdMiddleware:
    """Give each request an id: the one it came with where that is harmless, otherwise a new one.

    It stands in every line that is logged meanwhile, in the audit events of what is done, on error pages and in the
    answer's `X-Request-Id`.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]  # read by `id_of` and by error pages
        with bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response.headers["X-Request-Id"] = request_id
        return response


class ProblemMiddleware:
    """Answer programs with problem documents also where Django itself refuses: unknown address, method, broken code."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(API) or response.status_code < 400 or _is_problem(response):
            return response
        answer = problem_answer(request, problem_of_status(response.status_code))
        for name in _KEPT_HEADERS:
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer


def _is_problem(response: HttpResponse) -> bool:
    return bool(response.headers.get("Content-Type", "").startswith(PROBLEM_TYPE))


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


class QueueMiddleware:
    """Tell a person whose work the queue did not take that it is stored and begins later."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if queue.was_away() and not request.path.startswith(API):
            told = _("The queue does not answer now. This is stored, and begins by itself when the queue is back.")
            messages.warning(request, told)
        return response


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
        if request.path.startswith(API):  # it refuses by itself, in a program's words
            return None
        if match is not None and match.url_name in OPEN_TO_ONE_TIME_PASSWORDS:
            return None
        return redirect(reverse("account_change_password"))
