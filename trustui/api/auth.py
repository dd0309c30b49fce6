"""Who asks: the person behind an API token, or the one whose session it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from signing.models import User
from signing.selectors.sign_in import has_second_factor, must_have_second_factor
from signing.services.api_tokens import authenticate
from trustui.api import limits
from trustui.errors import Refused

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="TrustUI"'}


def identify(request: HttpRequest) -> User | None:
    """Find who asks, once per request. A token that comes along decides, whatever session there is.

    Raises:
        Refused: the token is of no use, too many were tried, or a session comes without its CSRF token.
    """
    if not hasattr(request, "_asker"):
        request._asker = (  # type: ignore[attr-defined]
            _by_token(request) if "Authorization" in request.headers else _by_session(request)
        )
    asker: User | None = request._asker  # type: ignore[attr-defined]
    return asker


class ApiToken(AuthBase):
    """`Authorization: Bearer TOKEN`."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Any | None:
        return identify(request)


class Session(AuthBase):
    """The dashboard's own session; what changes something also needs the header X-CSRFToken."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> Any | None:
        return identify(request)


def not_signed_in() -> Refused:
    """Refuse who is nobody."""
    return Refused("not_signed_in", headers=CHALLENGE)


def _by_token(request: HttpRequest) -> User:
    scheme, _, raw = request.headers["Authorization"].partition(" ")
    limits.require_few_wrong_tokens(request)
    token = authenticate(raw.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        limits.count_wrong_token(request)
        raise not_signed_in()
    request.user = token.user
    return token.user


def _by_session(request: HttpRequest) -> User | None:
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return None
    if check_csrf(request):
        raise Refused("csrf_failed")
    if user.must_change_password:
        raise Refused("password_to_change")
    if must_have_second_factor(user) and not has_second_factor(user):
        raise Refused("second_factor_to_set_up")
    return user
