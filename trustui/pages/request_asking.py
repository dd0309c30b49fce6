"""Ask for a change: one page for each kind, reached from a repository, a tag or a signer."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from signing.models import ChangeRequest
from signing.permissions import require
from signing.selectors.repositories import visible_repositories
from signing.selectors.requests import visible_requests
from signing.services import requests as services
from signing.services.requests import require_own
from trustui.forms.requests import (
    ChangeForm,
    ManyForm,
    ReasonForm,
    RemovalRequestForm,
    RotationRequestForm,
    SignatureRequestForm,
    SignerRequestForm,
)
from trustui.htmx import HtmxRequest
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page

METHODS = ["GET", "POST"]


@login_required
@require_http_methods(METHODS)
def signer(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "request_signer")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("request a signer"))
    form = SignerRequestForm(request, account, _search(request))
    if form.is_valid():
        asked = form.carry_out(
            services.request_signer,
            actor=request.user,
            signer=form.cleaned_data["signer"],
            repositories=form.chosen(),
            reason=form.cleaned_data["reason"],
            ends_at=form.ends_at(),
            removes_itself=form.cleaned_data["removes_itself"],
        )
        if asked:
            return _asked(request, asked)
    return form_page(request, "pages/request_new.html", form, account=account, search=_search(request))


@login_required
@require_http_methods(METHODS)
def removal(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "request_signer_removal")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("ask for a signer's removal"))
    form = RemovalRequestForm(request, account, _search(request))
    if form.is_valid():
        asked = form.carry_out(
            services.request_signer_removal,
            actor=request.user,
            signer=form.cleaned_data["signer"],
            repositories=form.chosen(),
            reason=form.cleaned_data["reason"],
        )
        if asked:
            return _asked(request, asked)
    return _page(
        request,
        form,
        title=gettext("Take a signer out"),
        lead=gettext(
            "The signer's key signs nothing any more in the repositories chosen. A lead who is not you decides, and "
            "sees beforehand which tags would stop verifying."
        ),
        account=account,
        search=_search(request),
    )


@login_required
@require_http_methods(METHODS)
def rotation(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "request_rotation")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("ask for another key"))
    form = RotationRequestForm(request, account, _search(request))
    if form.is_valid():
        asked = form.carry_out(
            services.request_rotation,
            actor=request.user,
            repositories=form.chosen(),
            role=form.cleaned_data["role"],
            reason=form.cleaned_data["reason"],
        )
        if asked:
            return _asked(request, asked)
    return _page(
        request,
        form,
        title=gettext("Replace a key"),
        lead=gettext(
            "A new key takes the place of the old one, and what it signs is signed anew. No signed tag changes."
        ),
        account=account,
        search=_search(request),
    )


@login_required
@require_http_methods(METHODS)
def signature(request: HtmxRequest, gun: str) -> HttpResponse:
    """Ask that a digest is signed, where the policy wants approvals or somebody else holds the key."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    require(request.user, "request_signature", repository)
    form = SignatureRequestForm(request, repository)
    if form.is_valid():
        asked = form.carry_out(
            services.request_signature, actor=request.user, repository=repository, **form.cleaned_data
        )
        if asked:
            return _asked(request, asked)
    return _page(
        request,
        form,
        title=gettext("Ask for a signature"),
        lead=gettext("A digest that is in the registry already is signed as a tag of %(gun)s, once it is approved.")
        % {"gun": gun},
        account=repository.account,
        repository=repository,
    )


@login_required
@require_http_methods(METHODS)
def revocation(request: HtmxRequest, gun: str, tag: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    require(request.user, "request_revocation", repository)
    form = ReasonForm(request)
    if form.is_valid():
        asked = form.carry_out(
            services.request_revocation,
            actor=request.user,
            repository=repository,
            tag=tag,
            reason=form.cleaned_data["reason"],
        )
        if asked:
            return _asked(request, asked)
    return _page(
        request,
        form,
        title=f"Revoke {tag}?",
        lead=gettext(
            "%(gun)s:%(tag)s would not be signed any more: with content trust on, docker refuses it. "
            "The image stays in the registry."
        )
        % {"gun": gun, "tag": tag},
        account=repository.account,
        repository=repository,
    )


@login_required
@require_http_methods(METHODS)
def change(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for other repositories than before; what was approved so far counts no more."""
    asked = get_object_or_404(visible_requests(request.user), pk=pk)
    require_own(request.user, asked)
    form = ChangeForm(request, asked, _search(request))
    if form.is_valid():
        changed = form.carry_out(
            services.change_request,
            actor=request.user,
            request=asked,
            repositories=form.chosen(),
            reason=form.cleaned_data["reason"],
        )
        if changed:
            messages.success(request, gettext("Changed. Approvals given before do not count any more."))
            return redirect(asked)
    return _page(
        request,
        form,
        title=gettext("Change the request"),
        lead=gettext("Choose other repositories. Approvals that were given so far will not count any more."),
        account=asked.account,
        search=_search(request),
    )


def _page(request: HtmxRequest, form: ReasonForm, **context: object) -> HttpResponse:
    return form_page(request, "pages/request_ask.html", form, is_many=isinstance(form, ManyForm), **context)


def _search(request: HtmxRequest) -> str:
    return request.GET.get("q", "").strip()


def _asked(request: HtmxRequest, asked: ChangeRequest) -> HttpResponse:
    messages.success(request, gettext("Asked. Another person decides; you see here when they did."))
    return redirect(asked)
