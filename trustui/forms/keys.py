"""Keys: made, imported, enrolled, certified."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Account, Key
from signing.permissions import may
from trustui.forms.base import NameField, PassphraseField, PemForm, ServiceForm
from trustui.htmx import HtmxRequest

_UNATTENDED = _(
    "Then whoever may use this key signs without a passphrase. The signing worker keeps it, sealed to itself, so who"
    " takes over that worker can sign too. For machines and demos; people type theirs."
)
_UNATTENDED_ROOT = _(
    "Then approving a signer is one click, for every lead, and the repository keys made from now on ask nobody either."
    " The signing worker keeps the passphrase, sealed to itself: who takes over that worker can name signers for every"
    " repository of the account. Without it, a lead types the passphrase at each approval that needs the key."
)


def purposes_for(request: HtmxRequest, account: Account) -> list[tuple[str, str]]:
    """Offer the purposes this person may make keys for."""
    purposes = [(Key.Purpose.SIGNER.value, gettext("Signer key: signs tags"))]
    if may(request.user, "manage_root_keys", account):
        purposes.append((Key.Purpose.ROOT.value, gettext("Root key: vouches for every repository of the account")))
    return purposes


class GenerateKeyForm(ServiceForm):
    """A key pair the signing worker makes."""

    purpose = forms.ChoiceField(label=_("What it is for"))
    name = NameField(
        max_length=100,
        required=False,
        label="Signer's name",
        help_text=_("Lower case, for example alice. A root key is always called root."),
    )
    passphrase = PassphraseField(
        is_new=True, min_length=8, help_text=_("At least 8 characters. Nobody can recover it.")
    )
    passphrase_again = PassphraseField(is_new=True, label=_("Passphrase again"))
    unattended = forms.BooleanField(required=False, label=_("Let it sign without asking me"), help_text=_UNATTENDED)

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(
            request, initial={"purpose": request.GET.get("purpose", "signer"), "name": request.user.username}
        )
        offered = purposes_for(request, account)
        cast(forms.ChoiceField, self.fields["purpose"]).choices = offered
        self.is_for_root = request.GET.get("purpose") == Key.Purpose.ROOT and len(offered) > 1
        if self.is_for_root:  # asked for by its link: there is nothing to choose and nothing to name
            self.fields["purpose"].widget = forms.HiddenInput()
            self.fields["name"].widget = forms.HiddenInput()
            self.fields["unattended"].help_text = _UNATTENDED_ROOT

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("passphrase") and cleaned["passphrase"] != cleaned.get("passphrase_again"):
            self.add_error("passphrase_again", gettext("The two passphrases differ."))
        if cleaned.get("purpose") == Key.Purpose.SIGNER and not cleaned.get("name"):
            self.add_error("name", gettext("A signer key needs the signer's name."))
        return cleaned

    def arguments(self) -> dict[str, Any]:
        """List the service's arguments."""
        return {name: value for name, value in self.cleaned_data.items() if name != "passphrase_again"}


class ImportKeyForm(PemForm):
    """A key file docker or notary wrote."""

    purpose = forms.ChoiceField(label=_("What it is for"))
    name = NameField(
        max_length=100,
        required=False,
        label="Signer's name",
        help_text=_("Lower case, for example alice. A root key is always called root."),
    )
    passphrase = PassphraseField(help_text=_("The one the key file is encrypted with."))
    unattended = forms.BooleanField(required=False, label=_("Let it sign without asking me"), help_text=_UNATTENDED)
    field_order = ("purpose", "name", "pem", "pem_file", "passphrase", "unattended")

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(request, initial={"name": request.user.username})
        choices = purposes_for(request, account)
        if may(request.user, "manage_root_keys", account):
            choices.append(
                (Key.Purpose.REPOSITORY.value, gettext("Repository key: vouches for the tags of one repository"))
            )
        cast(forms.ChoiceField, self.fields["purpose"]).choices = choices
        self.fields["pem"].label = gettext("Key file")
        self.fields["pem"].help_text = gettext(
            "The text of private/KEYID.key, with BEGIN ENCRYPTED PRIVATE KEY. "
            "It is sealed at once and never shown again."
        )

    def arguments(self) -> dict[str, Any]:
        """List the service's arguments."""
        cleaned = self.cleaned_data
        return {
            "purpose": cleaned["purpose"],
            "name": cleaned["name"],
            "key_pem": cleaned["pem"],
            "passphrase": cleaned["passphrase"],
            "unattended": cleaned["unattended"],
        }


class EnrolKeyForm(PemForm):
    """The public half of a key that stays with its owner."""

    name = NameField(max_length=100, label="Signer's name")
    field_order = ("name", "pem", "pem_file")

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(request, initial={"name": request.user.username})
        self.fields["pem"].label = gettext("Public key or certificate")
        self.fields["pem"].help_text = gettext(
            "The .pub file of docker trust key generate, or a certificate with its chain."
        )


class CsrForm(ServiceForm):
    """The passphrase for one certificate request, where the key asks."""

    def __init__(self, request: HttpRequest, key: Key, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent)
        if key.asks_passphrase:
            is_pin = key.custody == Key.Custody.PKCS11
            label = gettext("PIN of its token") if is_pin else gettext("Passphrase of this key")
            self.fields["passphrase"] = PassphraseField(label=label)


class CertificateForm(PemForm):
    """A certificate and its chain for a key that exists."""

    def __init__(self, request: HttpRequest, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent)
        self.fields["pem"].label = gettext("Certificate")
        self.fields["pem"].help_text = gettext("PEM text, the leaf first and then its chain.")
