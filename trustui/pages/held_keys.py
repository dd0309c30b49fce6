"""Keys in tokens and key services: enrol one, and say what it may sign."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from signing.permissions import may
from signing.selectors.keys import visible_keys
from signing.services.held_keys import change_allowed_guns, enrol_held_key
from trustui.forms.held_keys import AllowedGunsForm, EnrolHeldKeyForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page


@login_required
@require_http_methods(["GET", "POST"])
def enrol(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "create_key")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, gettext("enrol a key in a token or key service"))
    form = EnrolHeldKeyForm(request, account)
    if form.is_valid():
        operation = form.carry_out(enrol_held_key, actor=request.user, account=account, **form.cleaned_data)
        if operation:
            return redirect(operation)
    return form_page(request, "pages/key_held.html", form, account=account)


@login_required
@require_http_methods(["GET", "POST"])
def allow(request: HtmxRequest, key_id: str) -> HttpResponse:
    """Change what a key in a key service may sign."""
    key = get_object_or_404(visible_keys(request.user), key_id=key_id)
    form = AllowedGunsForm(request, key)
    if (
        form.is_valid()
        and form.carry_out(
            change_allowed_guns, actor=request.user, key=key, allowed_guns=form.cleaned_data["allowed_guns"]
        )
        is not None
    ):
        messages.success(request, gettext("From now on it signs for these repositories and for no others."))
        return redirect(key)
    may_change = may(request.user, "manage_root_keys", key.account)
    return form_page(request, "pages/key_allowed.html", form, key=key, may_change=may_change)
