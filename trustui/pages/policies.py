"""What changes have to pass: read it, and ask for another policy."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from signing.models import Account, ChangeRequest, Key, Policy, Repository
from signing.permissions import may
from signing.selectors.accounts import visible_accounts
from signing.selectors.policies import FIELDS, policy_of
from signing.selectors.repositories import visible_repositories
from signing.selectors.requests import visible_requests
from signing.services.requests import request_policy_change
from trustui.forms.policies import PolicyForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page


@login_required
@require_http_methods(["GET", "POST"])
def of_account(request: HtmxRequest, name: str) -> HttpResponse:
    return _policy(request, get_object_or_404(visible_accounts(request.user), name=name), None)


@login_required
@require_http_methods(["GET", "POST"])
def of_repository(request: HtmxRequest, gun: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    return _policy(request, repository.account, repository)


def _policy(request: HtmxRequest, account: Account, repository: Repository | None) -> HttpResponse:
    policy = policy_of(repository or account)
    form = PolicyForm(request, policy)
    if form.is_valid():
        asked = form.carry_out(
            request_policy_change, actor=request.user, account=account, repository=repository, **form.cleaned_data
        )
        if asked:
            messages.success(request, gettext("Asked. Another person decides; until then the policy stays as it is."))
            return redirect(asked)
    about = [repository] if repository else []
    waiting = visible_requests(request.user).filter(
        account=account, kind=ChangeRequest.Kind.CHANGE_POLICY, state=ChangeRequest.State.WAITING
    )
    return form_page(
        request,
        "pages/policy.html",
        form,
        account=account,
        repository=repository,
        policy=policy,
        rows=[(form.fields[name].label, _value(policy, name), form.fields[name].help_text) for name in FIELDS],
        is_own=policy.pk is not None and policy.repository_id == (repository.pk if repository else None),
        may_ask=may(request.user, "request_policy", repository or account),
        waiting=[row for row in waiting if [item.repository for item in row.items.all()] == about],
    )


def _value(policy: Policy, name: str) -> object:
    """Give what the list shows; several custody classes by their labels."""
    value = getattr(policy, name)
    if isinstance(value, list):
        return ", ".join(str(Key.Custody(one).label) for one in value) or gettext("None refused")
    return value
