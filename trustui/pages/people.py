"""People: who may sign in. For administrators; auditors of the installation read."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.freezing import freezes_on
from signing.models import User
from signing.permissions import may, require
from signing.selectors.keys import visible_keys
from signing.selectors.people import people_like, visible_machines, visible_people
from signing.selectors.requests import visible_requests
from signing.selectors.sign_in import second_factors_of
from signing.selectors.signers import visible_signers
from signing.services.people import (
    Handover,
    Standing,
    activate_person,
    change_person,
    create_person,
    deactivate_person,
    give_new_password,
    set_standing,
    standing_of,
)
from signing.services.sign_in import end_sessions_of, reset_second_factor
from trustui.forms.base import ServiceForm
from trustui.forms.people import PersonChangeForm, PersonForm, StandingForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page, page_of
from trustui.pages.tokens import tokens_of

SHOWN = {
    "": _("All"),
    "active": _("Active"),
    "deactivated": _("Deactivated"),
    "administrators": _("Administrators"),
    "auditors": _("Auditors of everything"),
}
NEWEST = 10


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    require(request.user, "read_people")
    rows = visible_people(request.user)
    if search := request.GET.get("q", "").strip():
        rows = people_like(rows, search)
    shown = request.GET.get("show", "")
    if shown in ("active", "deactivated"):
        rows = rows.filter(is_active=shown == "active")
    elif shown == "administrators":
        rows = rows.filter(is_superuser=True)
    elif shown == "auditors":
        rows = rows.filter(reads_everything=True)
    context = {
        "page": page_of(request, rows),
        "search": search,
        "shown": shown,
        "tabs": SHOWN.items(),
        "may_manage": may(request.user, "manage_people"),
    }
    return render(request, "pages/people.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    require(request.user, "manage_people")
    form = PersonForm(request)
    if form.is_valid() and (made := form.carry_out(create_person, actor=request.user, **form.cleaned_data)):
        return _handover(request, made, gettext("%(person)s can sign in"))
    return form_page(request, "pages/person_new.html", form)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    return _person_page(request, _visible(request, pk))


@login_required
@never_cache
@require_POST
def password(request: HtmxRequest, pk: int) -> HttpResponse:
    """Hand out a one-time password in place of the one they have."""
    person, form = _visible(request, pk), ServiceForm(request)
    if made := form.carry_out(give_new_password, actor=request.user, person=person):
        return _handover(request, made, gettext("%(person)s has a new password"))
    return _person_page(request, person, form)


@login_required
@never_cache
@require_POST
def activate(request: HtmxRequest, pk: int) -> HttpResponse:
    """Let a deactivated person in again, with a one-time password."""
    person, form = _visible(request, pk), ServiceForm(request)
    if made := form.carry_out(activate_person, actor=request.user, person=person):
        return _handover(request, made, gettext("%(person)s can sign in again"))
    return _person_page(request, person, form)


@login_required
@require_POST
def deactivate(request: HtmxRequest, pk: int) -> HttpResponse:
    """Shut a person out."""
    people = visible_people(request.user) | visible_machines(request.user)
    person, form = get_object_or_404(people, pk=pk), ServiceForm(request)
    if done := form.carry_out(deactivate_person, actor=request.user, person=person):
        messages.success(
            request,
            gettext("%(person)s is out and cannot come in any more; every API token is revoked.") % {"person": done},
        )
        return redirect(done)
    return _person_page(request, person, form)


@login_required
@require_http_methods(["GET", "POST"])
def change(request: HtmxRequest, pk: int) -> HttpResponse:
    person = _visible(request, pk)
    require(request.user, "manage_people")
    form = PersonChangeForm(request, person)
    if form.is_valid() and (
        form.carry_out(change_person, actor=request.user, person=person, **form.cleaned_data) is not None
    ):
        messages.success(request, gettext("Saved."))
        return redirect(person)
    return form_page(request, "pages/person_change.html", form, person=person)


@login_required
@require_POST
def standing(request: HtmxRequest, pk: int) -> HttpResponse:
    """Make somebody an administrator, an auditor of the installation, or neither."""
    person = _visible(request, pk)
    form = StandingForm(request, person)
    if form.is_valid() and (
        done := form.carry_out(set_standing, actor=request.user, person=person, **form.cleaned_data)
    ):
        messages.success(
            request,
            gettext("%(person)s is now: %(standing)s.")
            % {"person": done, "standing": Standing(standing_of(done)).label.lower()},
        )
        return redirect(done)
    return _person_page(request, person, form)


@login_required
@require_POST
def second_factor(request: HtmxRequest, pk: int) -> HttpResponse:
    """Take a lost second factor away."""
    person, form = _visible(request, pk), ServiceForm(request)
    if done := form.carry_out(reset_second_factor, actor=request.user, person=person):
        messages.success(
            request,
            gettext("%(person)s signs in with the password alone now, and is signed out everywhere.")
            % {"person": done},
        )
        return redirect(done)
    return _person_page(request, person, form)


@login_required
@require_POST
def sessions(request: HtmxRequest, pk: int) -> HttpResponse:
    """Sign a person out everywhere."""
    person, form = _visible(request, pk), ServiceForm(request)
    ended = form.carry_out(end_sessions_of, actor=request.user, person=person)
    if ended is not None:
        messages.success(request, gettext("%(person)s is signed out everywhere.") % {"person": person})
        return redirect(person)
    return _person_page(request, person, form)


def _visible(request: HtmxRequest, pk: int) -> User:
    return get_object_or_404(visible_people(request.user), pk=pk)


def _handover(request: HtmxRequest, handover: Handover, outcome: str) -> HttpResponse:
    """Show a one-time password: in this one answer, and nowhere a later page could find it."""
    context = {
        "person": handover.person,
        "password": handover.password,
        "outcome": outcome % {"person": handover.person},
    }
    return render(request, "pages/person_password.html", context)


def _person_page(request: HtmxRequest, person: User, form: ServiceForm | None = None) -> HttpResponse:
    context = {
        "person": person,
        "is_me": person == request.user,
        "may_manage": may(request.user, "manage_people"),
        "tokens": tokens_of(person, request.user),
        "factors": second_factors_of(person),
        "freezes": list(freezes_on(person=person)),
        "identity": getattr(person, "identity", None),
        "standing": Standing(standing_of(person)),
        "standing_form": form if isinstance(form, StandingForm) else StandingForm(request, person, is_sent=False),
        "keys": visible_keys(request.user).filter(owner=person),
        "signers": visible_signers(request.user).filter(user=person),
        "requests": visible_requests(request.user).filter(requested_by=person)[:NEWEST],
        "form": form,
    }
    return render(request, "pages/person.html", context, status=form.status if form else 200)
