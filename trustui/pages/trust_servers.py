"""Trust servers: the built-in one and any other Notary v1 server."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from signing.permissions import may, require
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.trust_servers import change_trust_server, create_trust_server
from trustui.forms.trust_servers import TrustServerChangeForm, TrustServerForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import form_page, page_of


@login_required
@require_GET
def index(request: HtmxRequest) -> HttpResponse:
    rows = visible_trust_servers(request.user).annotate(account_count=Count("accounts", distinct=True))
    context = {"page": page_of(request, rows), "may_add": may(request.user, "manage_trust_servers")}
    return render(request, "pages/trust_servers.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    require(request.user, "manage_trust_servers")
    form = TrustServerForm(request)
    if form.is_valid():
        server = form.carry_out(create_trust_server, actor=request.user, **form.cleaned_data)
        if server:
            messages.success(
                request, gettext("%(server)s is known now; accounts may use it.") % {"server": server.name}
            )
            return redirect("trust_servers")
    return form_page(request, "pages/trust_server_new.html", form)


@login_required
@require_http_methods(["GET", "POST"])
def change(request: HtmxRequest, name: str) -> HttpResponse:
    server = get_object_or_404(visible_trust_servers(request.user), name=name)
    form = TrustServerChangeForm(request, server)
    if (
        form.is_valid()
        and form.carry_out(change_trust_server, actor=request.user, trust_server=server, **form.changes()) is not None
    ):
        messages.success(request, gettext("Saved."))
        return redirect("trust_servers")
    return form_page(
        request,
        "pages/trust_server.html",
        form,
        server=server,
        may_change=may(request.user, "manage_trust_servers"),
        may_see_contents=may(request.user, "read_trust_servers"),
        ca_name=commands.ca_file(server),
    )


@login_required
@require_GET
def ca_file(request: HtmxRequest, name: str) -> HttpResponse:
    """Give the CA certificate as the file the shown commands name."""
    server = get_object_or_404(visible_trust_servers(request.user), name=name)
    if not server.ca_pem:
        raise Http404("no CA of its own")
    headers = {"Content-Disposition": f'attachment; filename="{commands.ca_file(server)}"'}
    return HttpResponse(server.ca_pem, content_type="application/x-x509-ca-cert", headers=headers)
