"""How a person wants to hear of each kind of event."""

from __future__ import annotations

from django import forms

from signing.models import NoticeChoice
from signing.selectors.notices import ways_of
from trustui.forms.base import ServiceForm
from trustui.htmx import HtmxRequest


class WaysForm(ServiceForm):
    """One choice per kind of event."""

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(request)
        for row in ways_of(request.user):
            self.fields[row.event] = forms.ChoiceField(
                choices=NoticeChoice.Way.choices, label=row.label, initial=row.way
            )
