"""The address where docker and notary fetch tokens with a person's user name and password, or with an API token.

It is not a page: it answers JSON, knows no session and no cookie, and counts wrong passwords together with those of
the sign-in page. It speaks both forms of the registry's protocol: GET with Basic credentials, and OAuth2's POST, which
docker uses once it was given a refresh token to keep in place of the password.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from signing.models import User
from signing.services.registry_tokens import is_token_issuer, issue_token
from signing.trust.errors import InvalidInput
from signing.trust.tuf.times import format_time
from trustui.pages import registry_logins
from trustui.pages.registry_logins import Login, Refused

GRANTS = ("password", "refresh_token")


@csrf_exempt  # it reads no cookie
@never_cache
@require_http_methods(["GET", "POST"])
def issue(request: HttpRequest) -> JsonResponse:
    """Answer with a token for what the person may do of what `scope` names."""
    if not is_token_issuer():
        raise Http404("this installation issues no tokens")
    try:
        return JsonResponse(_by_form(request) if request.method == "POST" else _by_header(request))
    except Refused as refused:
        return _refusal(refused)
    except InvalidInput as error:
        return _refusal(Refused(400, "INVALID_REQUEST", error.message, "invalid_request"))


def _by_header(request: HttpRequest) -> dict[str, Any]:
    """Answer the older form: https://distribution.github.io/distribution/spec/auth/token."""
    login = registry_logins.of_header(request)
    answer = _token(login.user if login else None, request.GET.get("service", ""), request.GET.getlist("scope"))
    if login and request.GET.get("offline_token") == "true":
        answer["refresh_token"] = login.refresh_token
    return {"token": answer["access_token"], **answer}


def _by_form(request: HttpRequest) -> dict[str, Any]:
    """Answer OAuth2's form: https://distribution.github.io/distribution/spec/auth/oauth."""
    try:
        form = request.POST
    except (RequestDataTooBig, TooManyFieldsSent):
        raise Refused(413, "INVALID_REQUEST", "The request is too large.", "invalid_request") from None
    login = _login(request, {name: form.get(name, "") for name in form})
    answer = _token(login.user, form.get("service", ""), form.getlist("scope"))
    if form["grant_type"] == "refresh_token" or form.get("access_type") == "offline":
        answer["refresh_token"] = login.refresh_token
    return answer


def _login(request: HttpRequest, form: Mapping[str, str]) -> Login:
    grant = form.get("grant_type", "")
    if grant not in GRANTS:
        code = "unsupported_grant_type" if grant else "invalid_request"
        raise Refused(400, "INVALID_REQUEST", f"grant_type has to be {' or '.join(GRANTS)}.", code)
    needed = ("client_id", *(("username", "password") if grant == "password" else ("refresh_token",)))
    if missing := [name for name in needed if not form.get(name)]:
        raise Refused(400, "INVALID_REQUEST", f"{missing[0]} is missing.", "invalid_request")
    if grant == "password":
        return registry_logins.of_password(request, form["username"], form["password"])
    return registry_logins.of_refresh_token(form["refresh_token"])


def _token(user: User | None, service: str, scopes: Sequence[str]) -> dict[str, Any]:
    token = issue_token(user=user, service=service, scopes=" ".join(scopes).split())
    return {
        "access_token": token.text,
        "expires_in": int(token.lifetime.total_seconds()),
        "issued_at": format_time(token.issued_at.replace(microsecond=0)),
        "scope": token.scope,
    }


def _refusal(refused: Refused) -> JsonResponse:
    """Say no in the registry's words, which docker shows, and in OAuth2's."""
    body = {
        "errors": [{"code": refused.code, "message": refused.message}],
        "error": refused.grant_error,
        "error_description": refused.message,
    }
    headers = {"WWW-Authenticate": 'Basic realm="TrustUI"'} if refused.status == 401 else {}
    if refused.retry_after:
        headers["Retry-After"] = str(refused.retry_after)
    return JsonResponse(body, status=refused.status, headers=headers)
