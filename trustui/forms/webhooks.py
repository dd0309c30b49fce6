"""A webhook's address and events."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from signing.models import Event
from trustui.forms.base import NameField, ServiceForm


class WebhookForm(ServiceForm):
    """Who is told, and of what."""

    url = NameField(
        max_length=500, label=_("Address"), help_text=_("https:// and the receiver's address. Each body is signed.")
    )
    events = forms.MultipleChoiceField(
        choices=Event.choices, initial=Event.values, widget=forms.CheckboxSelectMultiple, label=_("Tell it when")
    )


class WebhookChangeForm(WebhookForm):
    """What may change in a webhook."""

    is_active = forms.BooleanField(required=False, label=_("Switched on"))
