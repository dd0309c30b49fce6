"""The audit log: who did what, when."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from signing.selectors.audit import visible_events
from trustui.htmx import HtmxRequest
from trustui.pages.base import page_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    rows = visible_events(request.user)
    if search:
        rows = rows.filter(
            Q(subject__icontains=search) | Q(action__icontains=search) | Q(actor__username__icontains=search)
        )
    return render(request, "pages/audit.html", {"page": page_of(request, rows), "search": search})
