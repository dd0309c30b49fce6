"""What lies on the built-in trust server: for administrators and auditors of the installation."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from signing.models import TrustServer
from signing.permissions import may, require
from signing.selectors.trust_server_contents import (
    changes,
    contents_of,
    is_readable,
    roles_of,
    stored_repositories,
    who_may_push,
)
from signing.selectors.trust_servers import visible_trust_servers
from trustui.htmx import HtmxRequest
from trustui.pages.base import page_of
from trustui.pages.words import size

LATEST_CHANGES = 20


@login_required
@require_GET
def index(request: HtmxRequest, name: str) -> HttpResponse:
    server = _server(request, name)
    if not is_readable():
        return render(request, "pages/trust_server_contents.html", {"server": server, "is_elsewhere": True})
    search = request.GET.get("q", "").strip()
    page = page_of(request, stored_repositories(request.user, search))
    context = {
        "server": server,
        "may_change": may(request.user, "manage_trust_servers"),
        "page": page,
        "search": search,
        "rows": [(row, size(row.stored)) for row in contents_of([stored.gun for stored in page])],
        "changes": changes(request.user)[:LATEST_CHANGES],
    }
    return render(request, "pages/trust_server_contents.html", context)


@login_required
@require_GET
def repository(request: HtmxRequest, name: str, gun: str) -> HttpResponse:
    server = _server(request, name)
    roles = roles_of(request.user, gun) if is_readable() else []
    if not roles:
        raise Http404("nothing of it is stored")
    (row,) = contents_of([gun])
    context = {
        "server": server,
        "row": row,
        "size": size(row.stored),
        "roles": [(role, size(role.stored)) for role in roles],
        "people": who_may_push(gun),
        "page": page_of(request, changes(request.user, gun)),
    }
    return render(request, "pages/trust_server_repository.html", context)


def _server(request: HtmxRequest, name: str) -> TrustServer:
    server = get_object_or_404(visible_trust_servers(request.user), name=name, is_builtin=True)
    require(request.user, "read_trust_servers")
    return server
