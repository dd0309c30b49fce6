"""Publishing an image, signing a digest, pulling a verified tag."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from signing.permissions import require
from signing.selectors.engine import engine_status
from signing.selectors.repositories import visible_repositories
from signing.services.operations import publish_image, pull_image, sign_digest
from trustui.forms.operations import PublishForm, SignDigestForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import form_page


@login_required
@require_http_methods(["GET", "POST"])
def image(request: HtmxRequest, gun: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    require(request.user, "publish", repository)
    form = PublishForm(request, repository)
    if form.is_valid():
        operation = form.carry_out(publish_image, actor=request.user, repository=repository, **form.cleaned_data)
        if operation:
            return redirect(operation)
    return form_page(
        request,
        "pages/publish.html",
        form,
        repository=repository,
        engine=engine_status(),
    )


@login_required
@require_http_methods(["GET", "POST"])
def digest(request: HtmxRequest, gun: str) -> HttpResponse:
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    require(request.user, "publish", repository)
    form = SignDigestForm(request, repository)
    if form.is_valid():
        operation = form.carry_out(sign_digest, actor=request.user, repository=repository, **form.cleaned_data)
        if operation:
            return redirect(operation)
    return form_page(
        request,
        "pages/sign.html",
        form,
        repository=repository,
        sign_command=commands.sign(repository),
    )


@login_required
@require_POST
def pull(request: HtmxRequest, gun: str, tag: str) -> HttpResponse:
    """Pull a tag into the Engine by its verified digest."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    return redirect(pull_image(actor=request.user, repository=repository, tag=tag))
