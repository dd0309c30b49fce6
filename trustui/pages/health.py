"""How the parts of the installation are, what is broken and how it is put right."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from signing import health
from signing.health import Part
from signing.permissions import may
from signing.selectors.health import visible_parts
from trustui.htmx import HtmxRequest

REFRESH_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that people look for together."""

    title: str
    parts: list[Part]


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    listed = visible_parts(request.user)
    context = {
        "wrong": [part for part in listed if part.state in (health.BROKEN, health.UNKNOWN)],
        "care": [part for part in listed if part.state == health.WARNING],
        "groups": _groups(listed),
        "worst": health.worst(listed),
        "sees_all": may(request.user, "read_health"),
        "refresh_seconds": REFRESH_SECONDS,
    }
    template = "pages/health.html#state" if request.htmx else "pages/health.html"
    return render(request, template, context)


def _groups(listed: list[Part]) -> list[Group]:
    kinds = health.Kind
    groups = [
        (_("Where trust is kept"), (kinds.TRUST_SERVER, kinds.REGISTRY, kinds.ENGINE, kinds.DOCKER_CLI)),
        (_("Who does the work"), (kinds.BROKER, kinds.SCHEDULER, kinds.WORKER, kinds.QUEUE)),
        (_("What it stands on"), (kinds.DATABASE, kinds.MIGRATIONS, kinds.CLOCK, kinds.DISK)),
    ]
    found = [Group(title, [part for part in listed if part.kind in members]) for title, members in groups]
    return [group for group in found if group.parts]
