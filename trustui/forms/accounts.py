"""Accounts."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from signing.models import Account, TrustServer
from signing.selectors.trust_servers import visible_trust_servers
from trustui.forms.base import NameField, PassphraseField, ServiceForm
from trustui.htmx import HtmxRequest

TrustServerField: TypeAlias = "forms.ModelChoiceField[TrustServer]"


class AccountForm(ServiceForm):
    """A new account."""

    name = NameField(max_length=50, help_text=_("Short, for this dashboard: letters, digits, hyphens."))
    registry = NameField(
        max_length=255, help_text=_("As it stands in image names: registry.example.com, or docker.io for Docker Hub.")
    )
    namespace = NameField(
        max_length=200, required=False, help_text=_("First part of each repository's path, for example team.")
    )
    trust_server = forms.ModelChoiceField(
        queryset=TrustServer.objects.none(), empty_label=None, help_text=_("Where its signatures are kept.")
    )
    registry_username = NameField(max_length=255, required=False, label=_("Registry user name"))
    registry_password = PassphraseField(
        required=False,
        label=_("Registry password or token"),
        help_text=_("Sealed to the Docker worker; never shown again."),
    )
    enforces_trust = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Enforce content trust"),
        help_text=_("Unsigned images of this account are refused when someone pulls or pushes through TrustUI."),
    )

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(request)
        cast(TrustServerField, self.fields["trust_server"]).queryset = visible_trust_servers(request.user)


class AccountChangeForm(ServiceForm):
    """What may change in an account; its names in the registry may not."""

    trust_server = forms.ModelChoiceField(
        queryset=TrustServer.objects.none(),
        empty_label=None,
        help_text=_("Only an administrator may choose another one."),
    )
    registry_username = NameField(max_length=255, required=False, label=_("Registry user name"))
    registry_password = PassphraseField(
        required=False, label=_("New registry password or token"), help_text=_("Leave empty to keep the stored one.")
    )
    forget_password = forms.BooleanField(required=False, label=_("Remove the stored password"))
    enforces_trust = AccountForm.base_fields["enforces_trust"]

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(
            request,
            initial={
                "trust_server": account.trust_server_id,
                "registry_username": account.registry_username,
                "enforces_trust": account.enforces_trust,
            },
        )
        cast(TrustServerField, self.fields["trust_server"]).queryset = visible_trust_servers(request.user)

    def changes(self) -> dict[str, Any]:
        """List the service's arguments: a password only where it changes."""
        changes = dict(self.cleaned_data)
        forget = changes.pop("forget_password")
        if forget:
            changes["registry_password"] = ""
        elif not changes["registry_password"]:
            del changes["registry_password"]
        return changes
