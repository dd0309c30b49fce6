"""The way to the sign-in provider and back (OpenID Connect)."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from trustui.sign_in.oidc import PROVIDER, Oidc


@never_cache
@require_POST
def go(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider: to sign in, or for a signed-in person to link it.

    The answer is a page that goes on by itself, no redirect: the browser holds a form's redirects to our own pages.
    """
    adapter = _adapter(request, provider_id)
    process = AuthProcess.CONNECT if request.user.is_authenticated else AuthProcess.LOGIN
    if process == AuthProcess.CONNECT and is_reauthentication_required(request, app="allauth.socialaccount"):
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': reverse('mfa_index')})}")
    provider = adapter.get_provider()
    try:
        leading = provider.redirect(request, process=process, next_url=get_next_redirect_url(request))
    except (OAuth2Error, RequestException, KeyError, ValueError) as problem:
        return _failed(request, provider, problem)
    return render(request, "socialaccount/going.html", {"url": leading.url, "name": settings.OIDC_NAME})


@never_cache
@require_GET
def back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take what the provider says about who came."""
    adapter = _adapter(request, provider_id)
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
    except (KeyError, ValueError, TypeError) as problem:  # what it sent cannot be read
        return _failed(request, adapter.get_provider(), problem)
    return response


@require_GET
def cancelled(request: HttpRequest) -> HttpResponse:
    """Say that nothing happened."""
    return render(request, "socialaccount/login_cancelled.html")


def _adapter(request: HttpRequest, provider_id: str) -> Oidc:
    if not settings.OIDC_URL or provider_id != PROVIDER:
        raise Http404("no sign-in provider is configured")
    return Oidc(request, PROVIDER)


def _failed(request: HttpRequest, provider: object, problem: Exception) -> HttpResponse:
    response: HttpResponse = render_authentication_error(request, provider, exception=problem)
    return response
