"""Operations: what is queued, running and over, live."""

from __future__ import annotations

import hashlib

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from signing.models import Operation
from signing.permissions import may
from signing.selectors.operations import is_retryable, passphrases_needed, visible_operations
from signing.services.operations import cancel_operation, retry_operation
from signing.trust.errors import LastTry
from trustui.forms.operations import RetryForm
from trustui.htmx import HtmxRequest, answers_part, with_vary
from trustui.pages import commands
from trustui.pages.base import page_of
from trustui.pages.progress import layers_of, steps_of

LINES_SHOWN = 200


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    rows = visible_operations(request.user)
    state, kind = request.GET.get("state", ""), request.GET.get("kind", "")
    if state in Operation.State.values:
        rows = rows.filter(state=state)
    if kind in Operation.Kind.values:
        rows = rows.filter(kind=kind)
    context = {
        "page": page_of(request, rows),
        "state": state,
        "kind": kind,
        "states": Operation.State.choices,
        "kinds": Operation.Kind.choices,
    }
    return render(request, "pages/operations.html", context)


@login_required
@require_GET
def show(request: HtmxRequest, pk: int) -> HttpResponse:
    """Show one operation; while it works, its part asks again each second and gets 304 where nothing moved."""
    operation = get_object_or_404(visible_operations(request.user), pk=pk)
    etag = _etag(operation)
    if answers_part(request, "progress"):
        if request.headers.get("If-None-Match") == etag:
            return with_vary(HttpResponse(status=304, headers={"ETag": etag}))
        response = render(request, "pages/operation.html#progress", _context(request, operation))
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = "private, no-cache"
        return with_vary(response)
    return _operation_page(request, operation)


@login_required
@require_POST
def cancel(request: HtmxRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(visible_operations(request.user), pk=pk)
    return redirect(cancel_operation(actor=request.user, operation=operation))


@login_required
@require_POST
def retry(request: HtmxRequest, pk: int) -> HttpResponse:
    operation = get_object_or_404(visible_operations(request.user), pk=pk)
    form = RetryForm(request, passphrases_needed(operation), may_insist=_may_insist(operation))
    if (
        form.is_valid()
        and form.carry_out(
            retry_operation,
            actor=request.user,
            operation=operation,
            passphrases=form.passphrases(),
            insists=bool(form.cleaned_data.get("insists")),
        )
        is not None
    ):
        return redirect(operation)
    return _operation_page(request, operation, form)


def _operation_page(request: HtmxRequest, operation: Operation, form: RetryForm | None = None) -> HttpResponse:
    context = _context(request, operation, form)
    return with_vary(render(request, "pages/operation.html", context, status=form.status if form else 200))


def _context(request: HtmxRequest, operation: Operation, form: RetryForm | None = None) -> dict[str, object]:
    lines = list(operation.lines.order_by("-pk")[:LINES_SHOWN])
    may_change = may(request.user, "change_operation", operation)
    may_retry = may_change and is_retryable(operation)
    tag = operation.parameters.get("tag", "")
    return {
        "operation": operation,
        "etag": _etag(operation),
        "tag": tag,
        "steps": steps_of(operation),
        "layers": layers_of(operation),
        "lines": list(reversed(lines)),
        "may_cancel": may_change and not operation.is_finished and not operation.is_signature_stored,
        "may_retry": may_retry,
        "form": form
        or RetryForm(
            request,
            passphrases_needed(operation) if may_retry else (),
            may_insist=may_retry and _may_insist(operation),
            is_sent=False,
        ),
        "inspect_command": commands.inspect(operation.repository, tag) if operation.repository else "",
    }


def _may_insist(operation: Operation) -> bool:
    return operation.error_code == LastTry.code


def _etag(operation: Operation) -> str:
    """Name what is shown: whatever moves on the page moves this."""
    newest = operation.lines.order_by("-pk").values_list("pk", flat=True).first()
    seen = (
        operation.state,
        operation.step,
        operation.done_steps,
        sorted(operation.layers.items()),
        operation.cancel_requested,
        newest,
    )
    return '"' + hashlib.sha256(repr(seen).encode()).hexdigest()[:24] + '"'
