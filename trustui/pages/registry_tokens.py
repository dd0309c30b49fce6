"""The address where docker and notary fetch tokens with a person's user name and password.

It is not a page: it answers JSON, knows no session and no cookie, and counts wrong passwords together with those of
the sign-in page.
"""

from __future__ import annotations

import base64
import binascii
from copy import copy

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from signing.models import User
from signing.services.registry_tokens import is_token_issuer, issue_token
from signing.trust.errors import InvalidInput
from signing.trust.tuf.times import format_time


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> JsonResponse:
        body = {"errors": [{"code": self.code, "message": self.message}]}
        headers = {"WWW-Authenticate": 'Basic realm="TrustUI"'} if self.status == 401 else {}
        return JsonResponse(body, status=self.status, headers=headers)


@csrf_exempt  # it reads no cookie
@never_cache
@require_GET
def issue(request: HttpRequest) -> JsonResponse:
    """Answer with a token for what the person may do of what `scope` names."""
    if not is_token_issuer():
        raise Http404("this installation issues no tokens")
    try:
        user = _signed_in(request)
        scopes = " ".join(request.GET.getlist("scope")).split()
        token = issue_token(user=user, service=request.GET.get("service", ""), scopes=scopes)
    except _Refused as refused:
        return refused.response()
    except InvalidInput as error:
        return _Refused(400, "INVALID_REQUEST", error.message).response()
    seconds = int(token.lifetime.total_seconds())
    issued = format_time(token.issued_at.replace(microsecond=0))
    return JsonResponse({"token": token.text, "access_token": token.text, "expires_in": seconds, "issued_at": issued})


def _signed_in(request: HttpRequest) -> User | None:
    """Find whose name and password came along; without any, nobody in particular asks."""
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    username, password = _basic(header)
    attempt = copy(request)
    attempt.method = "POST"  # allauth lets every GET pass its limit of wrong passwords
    try:
        user = get_adapter(attempt).authenticate(attempt, username=username, password=password)
    except ValidationError:
        raise _Refused(429, "TOOMANYREQUESTS", "Too many wrong passwords; try again later.") from None
    if not isinstance(user, User) or not user.is_active:
        raise _Refused(401, "UNAUTHORIZED", "The user name or the password is wrong.")
    if user.must_change_password:
        raise _Refused(401, "UNAUTHORIZED", "Sign in to the dashboard once and replace the one-time password.")
    return user


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon or "\0" in username:
        raise _Refused(401, "UNAUTHORIZED", "Only a user name and a password let you in here.")
    return username, password
