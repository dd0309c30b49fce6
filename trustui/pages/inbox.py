"""The inbox: what waits for this person, what they were told, and how they want to hear of things."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from signing.selectors.notices import inbox, unread
from signing.selectors.requests import waiting_for
from signing.services.notices import choose_ways, mark_read
from trustui.forms.inbox import WaysForm
from trustui.htmx import HtmxRequest
from trustui.pages.base import form_page, page_of

MOST_WAITING = 50


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    context = {
        "waiting": waiting_for(request.user)[:MOST_WAITING],
        "page": page_of(request, inbox(request.user)),
        "unread_count": unread(request.user).count(),
    }
    return render(request, "pages/inbox.html", context)


@login_required
@require_POST
def read(request: HtmxRequest) -> HttpResponse:
    """Mark everything as read."""
    mark_read(actor=request.user)
    return redirect("inbox")


@login_required
@require_http_methods(["GET", "POST"])
def choices(request: HtmxRequest) -> HttpResponse:
    form = WaysForm(request)
    if form.is_valid():
        form.carry_out(choose_ways, actor=request.user, ways=form.cleaned_data)
        if form.refusal is None:
            messages.success(request, gettext("Saved."))
            return redirect("inbox")
    return form_page(request, "pages/notice_choices.html", form, sends_mail=settings.SENDS_MAIL)
