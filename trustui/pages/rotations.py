"""Replace a key everywhere: why and by what, the plan, its approval, how far it is, and the proof at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing import rotations as states
from signing.freezing import freezes_on
from signing.models import Operation, Rotation, RotationStep
from signing.permissions import may, require
from signing.selectors import requests as requested
from signing.selectors.keys import visible_keys
from signing.selectors.rotations import radius_of, visible_rotations
from signing.services import rotations as services
from trustui.forms.base import ServiceForm
from trustui.forms.rotations import AskForm, RetryForm, RotateForm
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import commands
from trustui.pages.base import form_page, page_of

State = Rotation.State
SHOWN_TAGS = 100


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    return render(request, "pages/rotations.html", {"page": page_of(request, visible_rotations(request.user))})


@login_required
@require_http_methods(["GET", "POST"])
def rotate(request: HtmxRequest, key_id: str) -> HttpResponse:
    """Say why, see what names the key, and choose what takes its place."""
    key = get_object_or_404(visible_keys(request.user), key_id=key_id)
    require(request.user, "replace_key", key)
    if begun := key.rotations.filter(state__in=states.OPEN).first():
        return redirect(begun)
    form = RotateForm(request, key)
    if form.is_valid():
        made = form.carry_out(services.plan_rotation, actor=request.user, key=key, **form.arguments())
        if made:
            return redirect(made)
    context = {"key": key, "radius": radius_of(key), "freezes": list(freezes_on(key=key))}
    return form_page(request, "pages/rotate.html", form, **context)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    rotation = _visible(request, pk)
    if answers_part(request, "progress"):
        return with_vary(render(request, "pages/rotation.html#progress", _context(request, rotation)))
    return _rotation_page(request, rotation)


@login_required
@require_POST
def ask(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for what the plan says."""
    rotation, form = _visible(request, pk), AskForm(request)
    if form.is_valid():
        comment = form.cleaned_data["comment"]
        if form.carry_out(services.request_replacement, actor=request.user, rotation=rotation, comment=comment):
            messages.success(request, gettext("Asked. With the last approval it begins by itself."))
            return redirect(rotation)
    return _rotation_page(request, rotation, form)


@login_required
@require_POST
def pause(request: HtmxRequest, pk: int) -> HttpResponse:
    return _carried_out(request, pk, services.pause_rotation)


@login_required
@require_POST
def resume(request: HtmxRequest, pk: int) -> HttpResponse:
    return _carried_out(request, pk, services.resume_rotation)


@login_required
@require_POST
def drop(request: HtmxRequest, pk: int) -> HttpResponse:
    return _carried_out(request, pk, services.drop_rotation)


@login_required
@require_POST
def retry(request: HtmxRequest, pk: int) -> HttpResponse:
    """Do what failed again, and what waits for a passphrase."""
    rotation = _visible(request, pk)
    form = RetryForm(request, _purposes(rotation))
    if form.is_valid():
        passphrases = form.passphrases()
        if form.carry_out(services.retry_rotation, actor=request.user, rotation=rotation, passphrases=passphrases):
            return redirect(rotation)
    return _rotation_page(request, rotation, form)


def _carried_out(request: HtmxRequest, pk: int, service: Callable[..., Rotation]) -> HttpResponse:
    rotation, form = _visible(request, pk), ServiceForm(request)
    if form.carry_out(service, actor=request.user, rotation=rotation):
        return redirect(rotation)
    return _rotation_page(request, rotation, form)


def _visible(request: HtmxRequest, pk: int) -> Rotation:
    rotation = get_object_or_404(visible_rotations(request.user), pk=pk)
    states.settle(rotation.pk)
    return visible_rotations(request.user).get(pk=pk)


def _rotation_page(request: HtmxRequest, rotation: Rotation, form: ServiceForm | None = None) -> HttpResponse:
    context = _context(request, rotation, form)
    return with_vary(render(request, "pages/rotation.html", context, status=form.status if form else 200))


def _context(request: HtmxRequest, rotation: Rotation, form: ServiceForm | None = None) -> dict[str, Any]:
    steps = list(rotation.steps.select_related("repository__account__trust_server", "operation"))
    left = _left(rotation)
    previews = {}
    if rotation.state == State.DRAFT and rotation.replacement:
        previews = {item.repository.pk: item for item in services.previews_of(rotation) if item.repository}
    making = Operation.objects.filter(kind=Operation.Kind.GENERATE_KEY, parameters__rotation=rotation.pk).first()
    is_mine = may(request.user, "replace_key", rotation.key)
    done = sum(step.state == RotationStep.State.DONE for step in steps)
    return {
        "rotation": rotation,
        "rows": [(step, previews.get(step.repository_id or 0), _command(rotation, step)) for step in steps],
        "problems": [item for item in previews.values() if item.problem],
        "done": done,
        "failed": sum(step.state == RotationStep.State.FAILED for step in steps),
        "total": len(steps),
        "tag_count": sum(len(step.tags) for step in steps),
        "making": making,
        "works": rotation.state in (State.RUNNING, State.WAITING) or (rotation.replacement is None and making),
        "may_act": is_mine,
        "may_retry": bool(left) and is_mine and rotation.state in (State.RUNNING, State.FAILED),
        "purposes": requested.passphrases_of(left),
        "waits": sum(step.operation is None for step in steps),
        "proofs": sorted(rotation.proof.items()),
        "proof_tags": sum(len(proof["tags"]) for proof in rotation.proof.values()),
        "shown_tags": SHOWN_TAGS,
        "ask_form": form if isinstance(form, AskForm) else AskForm(request),
        "retry_form": form if isinstance(form, RetryForm) else RetryForm(request, _purposes(rotation), is_sent=False),
        "form": form,
        "freezes": list(freezes_on(key=rotation.key)),
    }


def _left(rotation: Rotation) -> list[Any]:
    request = rotation.request
    if request is None or request.state != request.State.APPROVED:
        return []
    return requested.items_left(request)


def _purposes(rotation: Rotation) -> list[str]:
    return requested.passphrases_of(_left(rotation))


def _command(rotation: Rotation, step: RotationStep) -> str:
    if step.repository is None:
        return ""
    return commands.key_replace(step.repository, rotation.key, step.role.split(", "))
