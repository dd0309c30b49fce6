"""The page for what broke on our side."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader

from trustui.middleware import id_of


def broken(request: HttpRequest) -> HttpResponse:
    """Say so with the id that finds the cause in the log; nothing is asked of a database that may be what broke."""
    return HttpResponseServerError(loader.get_template("500.html").render({"request_id": id_of(request)}))
