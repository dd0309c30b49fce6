"""API tokens: one's own, and those of machine accounts. The text of a token is in one answer and nowhere else."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.models import ApiToken, User
from signing.permissions import require
from signing.selectors.api_tokens import visible_tokens
from signing.services.api_tokens import create_token, revoke_token
from trustui.forms.tokens import SCOPES, TokenForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import form_page


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    context = {"tokens": visible_tokens(request.user).filter(user=request.user), "scopes": SCOPES.values()}
    return render(request, "pages/tokens.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    return new_for(request, request.user)


def new_for(request: HtmxRequest, owner: User) -> HttpResponse:
    """Ask for a token of this owner, make it and show it, this once."""
    require(request.user, "manage_tokens", owner)
    form = TokenForm(request, owner)
    if form.is_valid() and (made := form.carry_out(create_token, actor=request.user, user=owner, **form.cleaned_data)):
        token, raw = made
        return render(
            request, "pages/token_shown.html", {"token": token, "raw": raw, "command": _command(request, raw)}
        )
    return form_page(request, "pages/token_new.html", form, owner=owner)


@login_required
@require_POST
def revoke(request: HtmxRequest, pk: int) -> HttpResponse:
    """End a token at once."""
    token = get_object_or_404(visible_tokens(request.user), pk=pk)
    revoke_token(actor=request.user, token=token)
    messages.success(request, gettext("The token %(token)s opens nothing any more.") % {"token": token.name})
    return redirect("own_tokens" if token.user == request.user else token.user)


def _command(request: HtmxRequest, raw: str) -> str:
    return commands.api(request.build_absolute_uri("/api/v1/repositories"), raw)


def tokens_of(owner: User, reader: User) -> list[ApiToken]:
    """List the tokens of somebody else, as far as the reader sees them."""
    return list(visible_tokens(reader).filter(user=owner))
