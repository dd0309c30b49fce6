"""New people."""

from __future__ import annotations

from django import forms

from signing.services.people import LONGEST_NAME, LONGEST_USERNAME
from trustui.forms.base import NameField, ServiceForm


class PersonForm(ServiceForm):
    """A person who is to sign in."""

    username = NameField(
        max_length=LONGEST_USERNAME,
        label="User name",
        help_text="What they sign in with, and what a lead types to give them a role. It stays.",
    )
    full_name = forms.CharField(
        max_length=LONGEST_NAME,
        required=False,
        help_text="What others see; without it the user name.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        required=False, label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
