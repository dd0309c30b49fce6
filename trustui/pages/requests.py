"""Requests: ask for a signer, and let another person decide."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.models import ChangeRequest, Repository
from signing.permissions import may
from signing.selectors.requests import (
    is_initialised,
    missing_administrative_key,
    passphrases_needed,
    visible_requests,
    waiting_for,
)
from signing.services.requests import approve_request, reject_request, request_signer
from trustui.forms.base import ServiceForm
from trustui.forms.requests import ApprovalForm, RejectionForm, SignerRequestForm
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import commands
from trustui.pages.base import accounts_where, ask_account, chosen_account, form_page, may_somewhere, page_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    shown = request.GET.get("show", "")
    rows = visible_requests(request.user)
    if shown == "mine":
        rows = waiting_for(request.user)
    elif shown in ChangeRequest.State.values:
        rows = rows.filter(state=shown)
    context = {
        "page": page_of(request, rows),
        "shown": shown,
        "tabs": [("", "All"), ("mine", "Waiting for me"), *ChangeRequest.State.choices],
        "may_ask": may_somewhere(request, "request_signer"),
    }
    return render(request, "pages/requests.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    accounts = accounts_where(request, "request_signer")
    if (account := chosen_account(request, accounts)) is None:
        return ask_account(request, accounts, "request a signer")
    search = request.GET.get("q", "").strip()
    form = SignerRequestForm(request, account, search)
    if form.is_valid():
        chosen = form.repositories.filter(gun__in=form.cleaned_data["repositories"])
        asked = form.carry_out(
            request_signer,
            actor=request.user,
            signer=form.cleaned_data["signer"],
            repositories=list(chosen),
            reason=form.cleaned_data["reason"],
        )
        if asked:
            messages.success(request, "Asked. Another person decides; you see here when they did.")
            return redirect(asked)
    return form_page(request, "pages/request_new.html", form, account=account, search=search)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    return _request_page(request, _visible(request, pk))


@login_required
@require_POST
def approve(request: HtmxRequest, pk: int) -> HttpResponse:
    visible = _visible(request, pk)
    form = ApprovalForm(request, passphrases_needed(visible) if _is_last(visible) else ())
    if (
        form.is_valid()
        and form.carry_out(
            approve_request,
            actor=request.user,
            request=visible,
            passphrases=form.passphrases(),
            comment=form.cleaned_data["comment"],
        )
        is not None
    ):
        messages.success(request, "Approved.")
        return redirect(visible)
    return _request_page(request, visible, approval=form)


@login_required
@require_POST
def reject(request: HtmxRequest, pk: int) -> HttpResponse:
    visible = _visible(request, pk)
    form = RejectionForm(request)
    if (
        form.is_valid()
        and form.carry_out(reject_request, actor=request.user, request=visible, comment=form.cleaned_data["comment"])
        is not None
    ):
        messages.success(request, "Rejected.")
        return redirect(visible)
    return _request_page(request, visible, rejection=form)


def _visible(request: HtmxRequest, pk: int) -> ChangeRequest:
    return get_object_or_404(visible_requests(request.user), pk=pk)


def _is_last(signer_request: ChangeRequest) -> bool:
    """Tell whether one more approval completes the quorum."""
    given = sum(decision.approves for decision in signer_request.decisions.all())
    return given + 1 >= signer_request.needed_approvals


def _request_page(
    request: HtmxRequest,
    signer_request: ChangeRequest,
    approval: ApprovalForm | None = None,
    rejection: RejectionForm | None = None,
) -> HttpResponse:
    sent: ServiceForm | None = approval or rejection
    signer = signer_request.signer
    items = list(signer_request.items.all())
    is_open = signer_request.state == ChangeRequest.State.WAITING
    is_last = _is_last(signer_request)
    decided_by_me = any(decision.by_id == request.user.pk for decision in signer_request.decisions.all())
    context = {
        "asked": signer_request,
        "signer": signer,
        "items": items,
        "effects": [_effect(item.repository) for item in items] if is_open else [],
        "works": any(item.operation and not item.operation.is_finished for item in items),
        "is_over": is_open and signer_request.expires_at <= timezone.now(),
        "is_mine": signer_request.requested_by_id == request.user.pk,
        "decided_by_me": decided_by_me,
        "is_last": is_last,
        "may_decide": is_open and not decided_by_me and may(request.user, "decide_request", signer_request),
        "approval": approval
        or ApprovalForm(request, passphrases_needed(signer_request) if is_open and is_last else (), is_sent=False),
        "rejection": rejection or RejectionForm(request, is_sent=False),
        "add_command": commands.signer_add(signer, items[0].repository) if signer and items else "",
    }
    if answers_part(request, "works"):
        return with_vary(render(request, "pages/request.html#works", context))
    return with_vary(render(request, "pages/request.html", context, status=sent.status if sent else 200))


def _effect(repository: Repository) -> dict[str, object]:
    """Say what approving changes in one repository."""
    return {
        "repository": repository,
        "initialises": not is_initialised(repository),
        "problem": missing_administrative_key(repository),
    }
