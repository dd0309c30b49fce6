"""Stopping something, and letting it go on."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from signing.services.freezing import LONGEST_REASON
from trustui.forms.base import ServiceForm


class FreezeForm(ServiceForm):
    """Why something is stopped."""

    reason = forms.CharField(
        max_length=LONGEST_REASON, label=_("Why"), help_text=_("Whoever meets the freeze reads this.")
    )


class LiftForm(ServiceForm):
    """Why it may go on."""

    reason = forms.CharField(max_length=LONGEST_REASON, required=False, label=_("Why it may go on"))
