"""The page for what broke on our side."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _

from trustui.errors import Refused, problem_of
from trustui.middleware import API, id_of, problem_answer


def broken(request: HttpRequest) -> HttpResponse:
    """Say so with the id that finds the cause in the log, and name the database where that is what broke.

    Nothing is asked of the database here.
    """
    code = _code_of(sys.exc_info()[1])
    if code and request.path.startswith(API):
        return problem_answer(request, problem_of(Refused(code)))
    context: dict[str, object] = {"request_id": id_of(request)}
    if code == "database_away":
        context["sentence"] = _("The database does not answer")
        context["explanation"] = _(
            "Nothing was changed, and nothing that is stored is lost. This page works again as soon as the database "
            "does: start it, or correct DATABASE_URL."
        )
    elif code == "database_behind":
        context["sentence"] = _("The database is not yet that of this release")
        context["explanation"] = _("Nothing was changed. Run `manage.py migrate` once with this release.")
    body = loader.get_template("503.html" if code else "500.html").render(context)
    return HttpResponse(body, status=503 if code else 500)


def _code_of(error: BaseException | None) -> str:
    """Tell whether the database is what broke, and how."""
    if isinstance(error, ProgrammingError) or (isinstance(error, OperationalError) and "no such " in str(error)):
        return "database_behind"
    return "database_away" if isinstance(error, OperationalError | InterfaceError) else ""
