"""People: new ones, their names, and what they are in the installation."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from signing.models import User
from signing.services.people import LONGEST_NAME, LONGEST_USERNAME, Standing, standing_of
from trustui.forms.base import NameField, ServiceForm


class PersonForm(ServiceForm):
    """A person who is to sign in."""

    username = NameField(
        max_length=LONGEST_USERNAME,
        label=_("User name"),
        help_text=_("What they sign in with, and what a lead types to give them a role. It stays."),
    )
    full_name = forms.CharField(
        max_length=LONGEST_NAME,
        required=False,
        help_text=_("What others see; without it the user name."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        max_length=254,  # what the table keeps
        required=False,
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class PersonChangeForm(ServiceForm):
    """What may change of a person: not the user name, under which the record is kept."""

    full_name = PersonForm.base_fields["full_name"]
    email = PersonForm.base_fields["email"]

    def __init__(self, request: HttpRequest, person: User) -> None:
        super().__init__(request, initial={"full_name": person.get_full_name(), "email": person.email})


class StandingForm(ServiceForm):
    """What somebody is in the installation as a whole."""

    standing = forms.ChoiceField(choices=Standing.choices, label=_("In the whole installation"))

    def __init__(self, request: HttpRequest, person: User, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, initial={"standing": standing_of(person)})
