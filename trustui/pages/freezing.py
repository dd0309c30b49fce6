"""The emergency stop: freeze a key, an account or a person, see what is frozen, and lift it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from signing import step_up
from signing.errors import StepUpRefused
from signing.freezing import act_hash, needs_step_up
from signing.models import Account, Freeze, Key, User
from signing.permissions import may, require
from signing.selectors.accounts import visible_accounts
from signing.selectors.freezing import visible_freezes
from signing.selectors.keys import visible_keys
from signing.selectors.people import visible_machines, visible_people
from signing.services.freezing import freeze, lift_freeze
from trustui.errors import explain
from trustui.forms.freezing import FreezeForm, LiftForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page, page_of
from trustui.pages.step_up import FIELD

METHODS = ["GET", "POST"]
Thing = Key | Account | User


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    rows = visible_freezes(request.user)
    if (shown := request.GET.get("show", "")) == "lifted":
        rows = rows.exclude(lifted_at=None)
    elif shown != "all":
        shown, rows = "", rows.filter(lifted_at=None)
    context = {"page": page_of(request, rows), "shown": shown, "may_lift": may(request.user, "lift_freeze")}
    return render(request, "pages/freezes.html", context)


@login_required
@require_http_methods(METHODS)
def key(request: HtmxRequest, key_id: str) -> HttpResponse:
    return _freeze_page(request, get_object_or_404(visible_keys(request.user), key_id=key_id))


@login_required
@require_http_methods(METHODS)
def account(request: HtmxRequest, name: str) -> HttpResponse:
    return _freeze_page(request, get_object_or_404(visible_accounts(request.user), name=name))


@login_required
@require_http_methods(METHODS)
def person(request: HtmxRequest, pk: int) -> HttpResponse:
    return _freeze_page(request, _person(request, pk))


@login_required
@require_http_methods(METHODS)
def lift(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let it go on; for administrators."""
    row = get_object_or_404(visible_freezes(request.user), pk=pk)
    thing = thing_of(row)
    require(request.user, "lift_freeze", thing)
    form = LiftForm(request)
    if form.is_valid() and _done(request, form, lift_freeze, "lift", thing, freeze=row):
        messages.success(request, gettext("Lifted. Work that the freeze ended is not begun again by itself."))
        return redirect("freezes")
    return _page(request, form, "lift", thing, row=row)


@login_required
@never_cache
@require_GET
def confirm(request: HtmxRequest, act: str, kind: str, which: str) -> HttpResponse:
    """Give the browser what it asks a passkey; the answer counts for this act on this thing only."""
    if act not in ("freeze", "lift"):
        raise Http404
    thing = find(request, kind, which)
    try:
        options = step_up.begin(request.user, thing, act_hash(act, thing))
    except StepUpRefused as refused:
        return JsonResponse({"problem": f"{refused.message} {refused.next_step}"}, status=409)
    return JsonResponse({"request_options": options})


def find(request: HtmxRequest, kind: str, name: str) -> Thing:
    """Find what an address names among what this person may see."""
    if kind == "key":
        return get_object_or_404(visible_keys(request.user), key_id=name)
    if kind == "account":
        return get_object_or_404(visible_accounts(request.user), name=name)
    if kind == "person" and name.isdecimal():
        return _person(request, int(name))
    raise Http404


def thing_of(row: Freeze) -> Thing:
    """Give what a freeze is of."""
    found = row.key or row.account or row.person
    if found is None:
        raise Http404
    return found


def _person(request: HtmxRequest, pk: int) -> User:
    if pk == request.user.pk:
        return request.user
    return get_object_or_404(visible_people(request.user) | visible_machines(request.user), pk=pk)


def _freeze_page(request: HtmxRequest, thing: Thing) -> HttpResponse:
    require(request.user, "freeze", thing)
    form = FreezeForm(request)
    if form.is_valid() and _done(request, form, freeze, "freeze", thing, **{_kind(thing): thing}):
        messages.success(request, gettext("Frozen. Nothing new is signed with it from now on."))
        return redirect("freezes")
    return _page(request, form, "freeze", thing)


def _done(request: HtmxRequest, form: FreezeForm | LiftForm, service: Any, act: str, thing: Thing, **what: Any) -> bool:
    text = str(request.POST.get(FIELD, ""))
    try:
        word = step_up.verify(request.user, thing, act_hash(act, thing), step_up.read_answer(text)) if text else None
    except StepUpRefused as refused:
        form.refusal = explain(refused)
        return False
    reason = form.cleaned_data["reason"]
    return form.carry_out(service, actor=request.user, reason=reason, step_up=word, **what) is not None


def _page(request: HtmxRequest, form: FreezeForm | LiftForm, act: str, thing: Thing, **context: Any) -> HttpResponse:
    wants_passkey = needs_step_up(thing)
    return form_page(
        request,
        "pages/freeze.html",
        form,
        act=act,
        kind=_kind(thing),
        thing=thing,
        back=reverse("mfa_index") if thing == request.user else thing.get_absolute_url(),
        wants_passkey=wants_passkey,
        has_passkey=wants_passkey and step_up.has_passkey(request.user),
        passkey_url=reverse("freeze_step_up", args=[act, _kind(thing), _name(thing)]),
        **context,
    )


def _kind(thing: Thing) -> str:
    if isinstance(thing, Key):
        return "key"
    return "account" if isinstance(thing, Account) else "person"


def _name(thing: Thing) -> str:
    if isinstance(thing, Key):
        return thing.key_id
    return thing.name if isinstance(thing, Account) else str(thing.pk)
