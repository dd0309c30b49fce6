"""What the pages share: answering with a form, paging, choosing an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from signing.models import Account
from signing.permissions import may
from signing.selectors.accounts import visible_accounts
from trustui.forms.base import ServiceForm
from trustui.htmx import HtmxRequest

PAGE_SIZE = 50


def form_page(request: HtmxRequest, template: str, form: ServiceForm, **context: Any) -> HttpResponse:
    """Show a page with its form; refused input answers 4xx and keeps what was typed, except secrets."""
    return render(request, template, {"form": form, **context}, status=form.status)


def page_of(request: HtmxRequest, rows: QuerySet[Any] | Sequence[Any], size: int = PAGE_SIZE) -> Page[Any]:
    """Cut out the page the address asks for; a page that does not exist becomes the nearest one."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def accounts_where(request: HtmxRequest, action: str) -> list[Account]:
    """List the accounts in which this person may do that."""
    return [account for account in visible_accounts(request.user) if may(request.user, action, account)]


def may_somewhere(request: HtmxRequest, action: str) -> bool:
    """Tell whether this person may do that in any account, asking once per role and not once per account."""
    one_of_each = {row.role: row.account for row in request.user.memberships.select_related("account")}
    return any(may(request.user, action, account) for account in (None, *one_of_each.values()))


def chosen_account(request: HtmxRequest, accounts: Sequence[Account]) -> Account | None:
    """Find the account the address names; without a name the only one there is."""
    name = request.GET.get("account", "")
    if not name and len(accounts) == 1:
        return accounts[0]
    return next((account for account in accounts if account.name == name), None)


def ask_account(request: HtmxRequest, accounts: Sequence[Account], purpose: str) -> HttpResponse:
    """Ask for which account something is, before the form that depends on it."""
    context = {"accounts": accounts, "purpose": purpose}
    return render(request, "pages/choose_account.html", context, status=200 if accounts else 403)
