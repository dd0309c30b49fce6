"""Accounts: the list, one account with its registry login and enforcement."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from signing.freezing import freezes_on
from signing.models import Account
from signing.permissions import may, require
from signing.selectors.accounts import members_of, visible_accounts
from signing.selectors.keys import root_key_of
from signing.selectors.repositories import visible_repositories
from signing.services.accounts import change_account, create_account
from trustui.forms.accounts import AccountChangeForm, AccountForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import form_page, page_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    rows = visible_accounts(request.user).annotate(
        repository_count=Count("repositories", distinct=True), member_count=Count("memberships", distinct=True)
    )
    context = {"page": page_of(request, rows), "may_add": may(request.user, "create_account")}
    return render(request, "pages/accounts.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    require(request.user, "create_account")
    form = AccountForm(request)
    if form.is_valid():
        account = form.carry_out(create_account, actor=request.user, **form.cleaned_data)
        if account:
            messages.success(
                request,
                gettext("The account %(account)s is open. It needs a root key next.") % {"account": account.name},
            )
            return redirect(account)
    return form_page(request, "pages/account_new.html", form)


@login_required
@require_GET
def show(request: HtmxRequest, name: str) -> HttpResponse:
    return _account_page(request, _visible(request, name))


@login_required
@require_http_methods(["GET", "POST"])
def change(request: HtmxRequest, name: str) -> HttpResponse:
    account = _visible(request, name)
    require(request.user, "manage_account", account)
    form = AccountChangeForm(request, account)
    if (
        form.is_valid()
        and form.carry_out(change_account, actor=request.user, account=account, **form.changes()) is not None
    ):
        messages.success(request, gettext("Saved."))
        return redirect(account)
    return form_page(request, "pages/account_change.html", form, account=account)


def _visible(request: HtmxRequest, name: str) -> Account:
    return get_object_or_404(visible_accounts(request.user), name=name)


def _account_page(request: HtmxRequest, account: Account) -> HttpResponse:
    repositories = visible_repositories(request.user).filter(account=account)
    context = {
        "account": account,
        "members": members_of(account),
        "root_key": root_key_of(account),
        "freezes": list(freezes_on(account=account)),
        "repositories": repositories[:10],
        "repository_count": repositories.count(),
        "may_view_all": may(request.user, "view", account),
        "may_manage": may(request.user, "manage_account", account),
        "may_see_webhooks": may(request.user, "view_webhooks", account),
        "may_make_root": may(request.user, "manage_root_keys", account),
        "may_add_repository": may(request.user, "create_repository", account),
        "docker_command": commands.docker_environment(account),
        "ca_name": commands.ca_file(account.trust_server),
        "ca_folder": commands.docker_ca_folder(account.trust_server),
    }
    return render(request, "pages/account.html", context)
