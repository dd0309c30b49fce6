"""The directory of signers."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from signing.models import SignedTag
from signing.permissions import may
from signing.selectors.requests import visible_requests
from signing.selectors.signers import repositories_of, visible_signers
from signing.services.signers import create_signer
from trustui.forms.signers import SignerForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page, may_somewhere, page_of

TAGS_SHOWN = 10


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    rows = visible_signers(request.user)
    if search:
        rows = rows.filter(name__icontains=search)
    context = {
        "page": page_of(request, rows),
        "search": search,
        "may_add": may_somewhere(request, "create_signer"),
    }
    return render(request, "pages/signers.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_signer")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("name a signer"))
    form = SignerForm(request, account)
    if form.is_valid():
        given = {"user": request.user} | form.cleaned_data
        signer = form.carry_out(create_signer, actor=request.user, account=account, **given)
        if signer:
            messages.success(
                request,
                gettext("%(signer)s has a name and a key. Now ask for the repositories.") % {"signer": signer.name},
            )
            return redirect(signer)
    return form_page(request, "pages/signer_new.html", form, account=account)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    signer = get_object_or_404(visible_signers(request.user), pk=pk)
    repositories = repositories_of(signer)
    tags = SignedTag.objects.filter(repository__in=repositories).select_related("repository").order_by("-first_seen")
    context = {
        "signer": signer,
        "repositories": repositories,
        "requests": visible_requests(request.user).filter(signer=signer)[:5],
        "tags": [tag for tag in tags[: TAGS_SHOWN * 10] if signer.name in tag.signers][:TAGS_SHOWN],
        "may_request": may(request.user, "request_signer", signer),
        "add_command": commands.signer_add(signer, repositories[0]) if repositories else "",
    }
    return render(request, "pages/signer.html", context)
