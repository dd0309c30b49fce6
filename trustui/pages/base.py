"""What the pages share: answering with a form, paging, choosing an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from signing.models import Account, Membership, Repository, User
from signing.permissions import may
from signing.roles import memberships_of
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
    """List the accounts in which this person may do that, be it in one repository."""
    singly = {row.account for row in _single_roles(request.user) if may(request.user, action, row.repository)}
    return [
        account for account in visible_accounts(request.user) if account in singly or may(request.user, action, account)
    ]


def may_somewhere(request: HtmxRequest, action: str) -> bool:
    """Tell whether this person may do that in any account, asking once per role and not once per account."""
    whole = memberships_of(request.user).filter(repository=None).select_related("account")
    one_of_each: dict[str, Account | Repository | None] = {row.role: row.account for row in whole}
    one_of_each |= {f"{row.role} of one": row.repository for row in _single_roles(request.user)}
    return any(may(request.user, action, place) for place in (None, *one_of_each.values()))


def _single_roles(user: User) -> QuerySet[Membership]:
    return memberships_of(user).exclude(repository=None).select_related("account", "repository")


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
