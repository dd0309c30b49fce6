"""The parts pages are made of, shown with what they are for: the one place to look before drawing a new one."""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from trustui.pages.charts import Column, Part, Row, columns_of, rows_of
from trustui.pages.progress import Step
from trustui.pages.words import STATES, VERDICTS

# name of a token -> what it is for
COLOURS = (
    ("bg", _("the page")),
    ("surface", _("cards and fields")),
    ("sunk", _("heads of tables, the menu")),
    ("line", _("lines between things")),
    ("ink", _("text")),
    ("muted", _("text of less weight")),
    ("accent", _("links, the main button, what is chosen")),
    ("good", _("holds")),
    ("warn", _("look soon")),
    ("bad", _("does not hold")),
    ("odd", _("not known here")),
    ("calm", _("neither")),
)
EXAMPLE = "61ca367830f57490c21ae886690d620fac9301a978a485e8cb2cbebaba0bc3e2"


class ExampleForm(forms.Form):
    """Fields as forms show them."""

    name = forms.CharField(label=_("Name"), help_text=_("What is under a field says what belongs into it."))
    kind = forms.ChoiceField(label=_("Kind"), choices=[("a", _("One")), ("b", _("Another"))])
    sure = forms.BooleanField(label=_("Said with a tick"), required=False)


@login_required
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show every part once."""
    parts = (Part("good", str(_("Signed")), 17), Part("warn", str(_("Drifted")), 2), Part("bad", str(_("Unsigned")), 1))
    context = {
        "colours": COLOURS,
        "verdicts": list(VERDICTS),
        "states": list(STATES),
        "example": EXAMPLE,
        "now": timezone.now(),
        "form": ExampleForm(),
        "steps": (Step("Resolve", "search", "done"), Step("Sign", "pen-line", "now"), Step("Move", "send", "next")),
        "rows": rows_of([Row("registry.example.com/team/app", "", parts)]),
        "columns": columns_of([Column(f"2026 Q{quarter}", quarter * 12, quarter * 15) for quarter in (1, 2, 3, 4)]),
        "lines": ('+ targets "1.4.0" {"length":528}', '- targets "1.3.9" {"length":528}'),
    }
    return render(request, "pages/design.html", context)
