"""Accepting what an alert wonders about, and choosing a key to watch."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from trustui.forms.base import NameField, ServiceForm

LONGEST_REASON = 200


class AcceptForm(ServiceForm):
    """Why it was meant."""

    reason = forms.CharField(max_length=LONGEST_REASON, required=False, label=_("How you know that it was meant"))


class WatchForm(ServiceForm):
    """Which key."""

    key_id = NameField(max_length=64, label=_("Key id"), help_text=_("All 64 digits, as the page of a key shows it."))
