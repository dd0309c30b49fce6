"""What stands before every endpoint: who asks, how often, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from signing.errors import NotAllowed
from signing.models import ApiToken, User
from signing.permissions import acting_token
from trustui.api import idempotency
from trustui.api.auth import identify, not_signed_in
from trustui.api.limits import SAFE_METHODS, require_below_limits
from trustui.errors import Refused

LARGEST_BODY = 256 * 1024
JSON = "application/json"

Run = Callable[..., HttpResponse]


def guarded(refuse: Callable[[HttpRequest, Exception], HttpResponse], *, holds_secret: Callable[[Run], bool]) -> Any:
    """Make the decorator that lets only those through whom the endpoint itself should judge."""

    def decorate(run: Run) -> Run:
        secret = holds_secret(run)

        @wraps(run)
        def guard(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                user = identify(request)
                if user is None:
                    raise not_signed_in()
                require_below_limits(request, user)
                if request.method in SAFE_METHODS:
                    require_may_read(user)
                _require_readable(request)
                if request.method == "POST" and idempotency.HEADER in request.headers:
                    return idempotency.once(request, user, lambda: run(request, **path), holds_secret=secret)
            except (Refused, NotAllowed) as error:
                return refuse(request, error)
            return run(request, **path)

        return guard

    return decorate


def require_may_read(user: User) -> None:
    """Refuse a token without the scope to read; for endpoints that only read, but take what is too long to be a GET.

    Raises:
        NotAllowed: this is one.
    """
    token = acting_token(user)
    if token and ApiToken.Scope.READ not in token.scopes:
        raise NotAllowed("This API token may not read.", next_step="Make a token with the scope 'read'.", scope="read")


def _require_readable(request: HttpRequest) -> None:
    if request.method in SAFE_METHODS:
        return
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
        raise Refused("request_too_large")
    if request.content_type != JSON and request.body:
        raise Refused("unsupported_media_type")
