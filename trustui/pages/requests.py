"""Requests: what waits, what one would do, and the decision about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from signing.approvals.words import title_of
from signing.errors import StepUpRefused
from signing.models import ChangeRequest, Operation
from signing.permissions import may
from signing.selectors import requests as selectors
from signing.selectors.requests import visible_requests, waiting_for
from signing.services import requests as services
from signing.step_up import has_passkey
from trustui.errors import explain
from trustui.forms.base import ServiceForm
from trustui.forms.requests import ApprovalForm, GoOnForm, ProofForm, RejectionForm
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import step_up
from trustui.pages.base import may_somewhere, page_of
from trustui.pages.request_words import command_for, facts_of, happens_next

State = ChangeRequest.State
FEW = 3  # repositories whose lines are shown unfolded


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    shown = request.GET.get("show", "")
    rows = visible_requests(request.user)
    if shown == "mine":
        rows = waiting_for(request.user)
    elif shown in State.values:
        rows = rows.filter(state=shown)
    context = {
        "page": page_of(request, rows),
        "shown": shown,
        "tabs": [("", gettext("All")), ("mine", gettext("Waiting for me")), *State.choices],
        "may_ask": may_somewhere(request, "request_signer"),
    }
    return render(request, "pages/requests.html", context)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    return _request_page(request, _visible(request, pk))


@login_required
@require_POST
def approve(request: HtmxRequest, pk: int) -> HttpResponse:
    asked = _visible(request, pk)
    form = ApprovalForm(request, _purposes(asked))
    if form.is_valid() and _approved(request, asked, form):
        messages.success(request, gettext("Approved."))
        return redirect(asked)
    return _request_page(request, _visible(request, pk), approval=form)


@login_required
@require_POST
def reject(request: HtmxRequest, pk: int) -> HttpResponse:
    asked = _visible(request, pk)
    form = RejectionForm(request)
    if (
        form.is_valid()
        and form.carry_out(
            services.reject_request, actor=request.user, request=asked, comment=form.cleaned_data["comment"]
        )
        is not None
    ):
        messages.success(request, gettext("Rejected."))
        return redirect(asked)
    return _request_page(request, asked, rejection=form)


@login_required
@require_POST
def prove(request: HtmxRequest, pk: int) -> HttpResponse:
    """Take the signature that shows that the signer holds the key."""
    asked = _visible(request, pk)
    form = ProofForm(request)
    if (
        form.is_valid()
        and form.carry_out(
            services.prove_possession, actor=request.user, request=asked, signature=form.cleaned_data["signature"]
        )
        is not None
    ):
        messages.success(request, gettext("The signer holds the key."))
        return redirect(asked)
    return _request_page(request, asked, proof=form)


@login_required
@require_POST
def retry(request: HtmxRequest, pk: int) -> HttpResponse:
    """Do what an approved request still lacks."""
    asked = _visible(request, pk)
    form = GoOnForm(request, selectors.passphrases_of(selectors.items_left(asked)))
    if (
        form.is_valid()
        and form.carry_out(services.retry_request, actor=request.user, request=asked, passphrases=form.passphrases())
        is not None
    ):
        return redirect(asked)
    return _request_page(request, asked, again=form)


@login_required
@require_POST
def withdraw(request: HtmxRequest, pk: int) -> HttpResponse:
    asked = _visible(request, pk)
    services.withdraw_request(actor=request.user, request=asked)
    messages.success(request, gettext("Withdrawn."))
    return redirect(asked)


@login_required
@require_POST
def renew(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask anew for what is left; nobody has approved the new request yet."""
    fresh = services.renew_request(actor=request.user, request=_visible(request, pk))
    messages.success(request, gettext("Asked anew, as it is now. It has to be approved again."))
    return redirect(fresh)


def _visible(request: HtmxRequest, pk: int) -> ChangeRequest:
    return get_object_or_404(visible_requests(request.user), pk=pk)


def _approved(request: HtmxRequest, asked: ChangeRequest, form: ApprovalForm) -> bool:
    content = form.cleaned_data["content_hash"]
    try:
        confirmed = step_up.proof(request, request.user, asked, content)
    except StepUpRefused as refused:
        form.refusal = explain(refused)
        return False
    done = form.carry_out(
        services.approve_request,
        actor=request.user,
        request=asked,
        content_hash=content,
        passphrases=form.passphrases(),
        comment=form.cleaned_data["comment"],
        step_up=confirmed,
    )
    return done is not None


def _purposes(asked: ChangeRequest) -> list[str]:
    """List what the next approval has to bring: passphrases only where it completes the quorum."""
    if asked.state != State.WAITING or selectors.quorum_of(asked).missing > 1:
        return []
    return selectors.passphrases_needed(asked)


def _request_page(
    request: HtmxRequest,
    asked: ChangeRequest,
    approval: ApprovalForm | None = None,
    rejection: RejectionForm | None = None,
    proof: ProofForm | None = None,
    again: GoOnForm | None = None,
) -> HttpResponse:
    forms: tuple[ServiceForm | None, ...] = (approval, rejection, proof, again)
    sent = next((form for form in forms if form), None)
    is_over = asked.state == State.WAITING and asked.expires_at <= timezone.now()
    is_open = asked.state == State.WAITING and not is_over
    previews = services.look_again(asked)
    items = list(asked.items.all())
    context: dict[str, Any] = {
        "asked": asked,
        "title": title_of(asked),
        "facts": facts_of(asked),
        "signer": asked.signer,
        "items": items,
        "previews": previews if is_open else [],
        "works": any(item.operation and not item.operation.is_finished for item in items),
        "is_over": is_over,
        "is_open": is_open,
        "quorum": selectors.quorum_of(asked),
        "left_out": selectors.LEFT_OUT,
        "is_mine": asked.requested_by_id == request.user.pk,
        "is_asking_side": selectors.is_asking_side(request.user, asked),
        "needs_proof": selectors.needs_proof(asked),
        "may_prove": is_open and asked.challenge and not asked.proved_at and _may_ask(request, asked),
        "may_withdraw": asked.state == State.WAITING and may(request.user, "withdraw_request", asked),
        "few": len(items) <= FEW,
        "done": sum(bool(item.operation and item.operation.state == Operation.State.DONE) for item in items),
        "failed": sum(bool(item.operation and item.operation.state == Operation.State.FAILED) for item in items),
        "policy_lines": selectors.decided_policy_lines(asked),
        "can_change": asked.kind in services.MANY,
        "possession": selectors.possession_command(asked),
        "openssl": selectors.openssl_command(asked),
        "command": command_for(asked),
        "next": happens_next(asked),
    }
    context |= _deciding(request, asked, approval, rejection, is_open=is_open)
    context |= _going_on(request, asked, again, is_over=is_over)
    context["proof"] = proof or ProofForm(request, is_sent=False)
    place = "may_prove" if proof else "may_go_on" if again else "may_decide"
    context["refused"] = None if context.get(place) else sent  # what was refused is said even where its form is gone
    if answers_part(request, "works"):
        return with_vary(render(request, "pages/request.html#works", context))
    return with_vary(render(request, "pages/request.html", context, status=sent.status if sent else 200))


def _deciding(
    request: HtmxRequest,
    asked: ChangeRequest,
    approval: ApprovalForm | None,
    rejection: RejectionForm | None,
    *,
    is_open: bool,
) -> dict[str, Any]:
    decisions = list(asked.decisions.all())
    mine = [row for row in decisions if row.by_id == request.user.pk]
    purposes = _purposes(asked) if is_open else []
    policy = selectors.policy_for(asked)
    return {
        "decisions": [(row, row.approves and row.content_hash != asked.content_hash) for row in decisions],
        "decided_by_me": any(row.content_hash == asked.content_hash or not row.approves for row in mine),
        "may_decide": is_open and selectors.can_decide(request.user, asked),
        "wants_passkey": policy.requires_step_up,
        "has_passkey": policy.requires_step_up and has_passkey(request.user),
        "approval": approval or ApprovalForm(request, purposes, content=asked.content_hash, is_sent=False),
        "rejection": rejection or RejectionForm(request, is_sent=False),
    }


def _going_on(request: HtmxRequest, asked: ChangeRequest, again: GoOnForm | None, *, is_over: bool) -> dict[str, Any]:
    """Say what of an approved request is left, and who may do it."""
    if asked.state != State.APPROVED or asked.kind == ChangeRequest.Kind.CHANGE_POLICY:
        return {"may_renew": (is_over or asked.state == State.EXPIRED) and _may_ask(request, asked)}
    left = selectors.items_left(asked)
    stale = [item for item in left if item.operation and item.operation.error_code == "not_as_approved"]
    purposes = selectors.passphrases_of(left)
    return {
        "left": left,
        "is_stale": bool(stale),
        "waits_for_signer": any(item.operation is None for item in left),
        "may_go_on": bool(left) and len(stale) < len(left) and selectors.may_go_on(request.user, asked, left),
        "may_renew": bool(left) and _may_ask(request, asked),
        "again": again or GoOnForm(request, purposes, is_sent=False),
    }


def _may_ask(request: HtmxRequest, asked: ChangeRequest) -> bool:
    return selectors.may_ask_for(request.user, asked)
