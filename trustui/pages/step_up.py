"""Confirm a decision by passkey: the challenge, and what came back with the form."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from signing import step_up
from signing.errors import StepUpRefused
from signing.models import ChangeRequest, User
from signing.selectors.requests import visible_requests
from trustui.htmx import HtmxRequest

FIELD = "step_up"


@login_required
@never_cache
@require_GET
def begin(request: HtmxRequest, pk: int) -> HttpResponse:
    """Give the browser what it asks a passkey; the answer counts for this request's content of now only."""
    asked = get_object_or_404(visible_requests(request.user), pk=pk)
    try:
        options = step_up.begin(request.user, asked, asked.content_hash)
    except StepUpRefused as refused:
        return JsonResponse({"problem": f"{refused.message} {refused.next_step}"}, status=409)
    return JsonResponse({"request_options": options})


def proof(request: HttpRequest, user: User, asked: ChangeRequest, content_hash: str) -> step_up.StepUp | None:
    """Check the passkey's answer that came with a form; None where none came.

    Raises:
        StepUpRefused: it is not the answer to what is being decided.
    """
    text = str(request.POST.get(FIELD, ""))
    if not text:
        return None
    return step_up.verify(user, asked, content_hash, step_up.read_answer(text))
