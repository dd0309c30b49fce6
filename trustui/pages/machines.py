"""Machine accounts: programs that read and ask, and the tokens they do it with."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from signing.models import User
from signing.permissions import may, require
from signing.selectors.people import visible_machines
from signing.services.machines import create_machine
from trustui.forms.members import MachineForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page, may_somewhere, page_of
from trustui.pages.tokens import new_for, tokens_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    context = {
        "page": page_of(request, visible_machines(request.user)),
        "may_add": may_somewhere(request, "create_machine"),
    }
    return render(request, "pages/machines.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_machine")
    account = chosen_account(request, accounts)
    if account is None:
        return ask_account(request, accounts, gettext("make a machine account"))
    form = MachineForm(request, account)
    if form.is_valid() and (
        made := form.carry_out(create_machine, actor=request.user, account=account, **form.cleaned_data)
    ):
        messages.success(
            request, gettext("%(made)s is here. It can do nothing yet: make a token for it.") % {"made": made}
        )
        return redirect(made)
    return form_page(request, "pages/machine_new.html", form, account=account)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    machine = _visible(request, pk)
    context = {
        "machine": machine,
        "memberships": machine.memberships.select_related("account", "repository").order_by("account__name"),
        "tokens": tokens_of(machine, request.user),
        "may_manage": may(request.user, "manage_tokens", machine),
        "may_manage_people": may(request.user, "manage_people"),
    }
    return render(request, "pages/machine.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new_token(request: HtmxRequest, pk: int) -> HttpResponse:
    machine = _visible(request, pk)
    require(request.user, "manage_tokens", machine)
    return new_for(request, machine)


def _visible(request: HtmxRequest, pk: int) -> User:
    return get_object_or_404(visible_machines(request.user), pk=pk)
