"""Repositories into the built-in trust server and out of it: for administrators."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from signing.models import TrustServer
from signing.permissions import require
from signing.selectors.trust_server_contents import is_readable
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.trust_server_transfers import export_repositories, import_repositories
from trustui.forms.trust_server_transfers import ExportForm, ImportForm
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import form_page


@login_required
@require_http_methods(["GET", "POST"])
def bring_in(request: HtmxRequest, name: str) -> HttpResponse:
    server = _server(request, name)
    form = ImportForm(request)
    if form.is_valid() and (operation := form.carry_out(import_repositories, actor=request.user, **form.cleaned_data)):
        return redirect(operation)
    context = {
        "server": server,
        "is_elsewhere": not is_readable(),
        "has_sources": form.has_sources,
        "command": commands.import_notary(),
    }
    return form_page(request, "pages/trust_server_import.html", form, **context)


@login_required
@require_http_methods(["GET", "POST"])
def give_back(request: HtmxRequest, name: str) -> HttpResponse:
    server = _server(request, name)
    form = ExportForm(request)
    if form.is_valid() and (operation := form.carry_out(export_repositories, actor=request.user, **form.cleaned_data)):
        return redirect(operation)
    context = {"server": server, "is_elsewhere": not is_readable(), "command": commands.export_notary()}
    return form_page(request, "pages/trust_server_export.html", form, **context)


def _server(request: HtmxRequest, name: str) -> TrustServer:
    server = get_object_or_404(visible_trust_servers(request.user), name=name, is_builtin=True)
    require(request.user, "manage_trust_servers")
    return server
