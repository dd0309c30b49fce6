"""Repositories that come into the built-in trust server, or leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Key
from signing.selectors.keys import visible_keys
from signing.selectors.trust_servers import visible_trust_servers
from signing.services.trust_server_transfers import MIRROR, ROOT, SIGNER
from trustui.forms.base import NameField, PassphraseField, ServiceForm, choice_of
from trustui.htmx import HtmxRequest

WAYS = (
    (MIRROR, _("As a mirror: it is read here, and published there as before")),
    (SIGNER, _("With the signer's database: its keys come along, and no client notices")),
    (ROOT, _("With a root key: the next root names this server's keys, and clients follow it")),
)
_URL = "postgres://USER:PASSWORD@HOST/NAME"


def _database(label: str, **kwargs: Any) -> PassphraseField:
    """Ask for a database's address; it holds a password, so it is not shown again."""
    return PassphraseField(label=label, help_text=_URL, **kwargs)


class _GunsForm(ServiceForm):
    """Repositories by name, one a line."""

    guns = forms.CharField(
        label=_("Repositories"),
        help_text=_("One a line, with their registry's host: registry.example.com/team/app"),
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}
        ),
    )

    def clean_guns(self) -> Sequence[str]:
        return str(self.cleaned_data["guns"]).split()


class _RootKeyField(forms.ModelChoiceField):  # type: ignore[type-arg]  # it takes none when the program runs
    """A root key, told by its account: all of them are called root."""

    def label_from_instance(self, obj: Key) -> str:
        return f"{obj.account}: {obj.key_id[:12]}"


class ImportForm(_GunsForm):
    """Where they come from, and how this server comes to sign for them."""

    way = forms.ChoiceField(label=_("How"), choices=WAYS, widget=forms.RadioSelect, initial=MIRROR)
    signer_database = _database("notary-signer's database", required=False)
    signer_passphrase = PassphraseField(
        required=False,
        label=_("Passphrase of the signer's keys"),
        help_text=_("What NOTARY_SIGNER_<ALIAS> is set to there."),
    )
    root_passphrase = PassphraseField(required=False, label=_("Passphrase of the root key"))
    field_order = ("source", "guns", "way", "signer_database", "signer_passphrase", "root_key", "root_passphrase")

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(request, initial={"guns": request.GET.get("gun", "")})
        others = visible_trust_servers(request.user).filter(is_builtin=False)
        self.has_sources = others.exists()
        self.fields["source"] = choice_of(others, label=gettext("From"), empty_label=None, to_field_name="name")
        roots = visible_keys(request.user).filter(purpose=Key.Purpose.ROOT, custody=Key.Custody.SEALED)
        self.fields["root_key"] = _RootKeyField(
            roots, label=gettext("Root key"), required=False, to_field_name="key_id"
        )
        self.order_fields(self.field_order)


class ExportForm(_GunsForm):
    """The two databases of a notary-server that is stopped."""

    server_database = _database("notary-server's database")
    signer_database = _database("notary-signer's database")
    signer_alias = NameField(
        max_length=100, label=_("Alias"), help_text=_("default_alias in notary-signer's configuration.")
    )
    signer_passphrase = PassphraseField(
        label=_("Its passphrase"), help_text=_("What NOTARY_SIGNER_<ALIAS> is set to there.")
    )
    field_order = ("guns", "server_database", "signer_database", "signer_alias", "signer_passphrase")

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(request, initial={"guns": request.GET.get("gun", "")})
        self.order_fields(self.field_order)
