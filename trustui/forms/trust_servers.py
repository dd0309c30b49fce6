"""Trust servers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import TrustServer
from trustui.forms.base import NameField, PassphraseField, PemField, ServiceForm


class TrustServerForm(ServiceForm):
    """A new trust server."""

    name = NameField(max_length=50, help_text=_("Short, for this dashboard: letters, digits, hyphens."))
    url = NameField(max_length=200, label=_("Address"), help_text=_("https://host or https://host:port"))
    ca_pem = PemField(
        required=False,
        label=_("CA certificate"),
        help_text=_("PEM text of the authority that issued its certificate. Empty: the system's own authorities."),
    )
    username = NameField(max_length=255, required=False, label=_("User name"))
    password = PassphraseField(required=False, help_text=_("Sealed to the signing worker; never shown again."))


class TrustServerChangeForm(TrustServerForm):
    """The same for one that exists; its name stays."""

    name = None  # type: ignore[assignment]  # Django's way to leave out an inherited field
    forget_password = forms.BooleanField(required=False, label=_("Remove the stored password"))

    def __init__(self, request: HttpRequest, server: TrustServer) -> None:
        super().__init__(request, initial={"url": server.url, "ca_pem": server.ca_pem, "username": server.username})
        self.fields["password"].help_text = gettext("Leave empty to keep the stored one.")

    def changes(self) -> dict[str, Any]:
        """List the service's arguments: a password only where it changes."""
        changes = dict(self.cleaned_data)
        forget = changes.pop("forget_password")
        if forget:
            changes["password"] = ""
        elif not changes["password"]:
            del changes["password"]
        return changes
