"""Keys in tokens and key services: where one is, and what it may sign."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Account, Key
from signing.permissions import may
from signing.selectors.repositories import visible_repositories
from trustui.forms.base import NameField, PassphraseField, ServiceForm, choice_of
from trustui.forms.keys import purposes_for
from trustui.htmx import HtmxRequest


class GunsField(forms.CharField):
    """Names of repositories, one a line."""

    widget = forms.Textarea(attrs={"spellcheck": "false", "autocomplete": "off", "rows": 4})

    def clean(self, value: Any) -> list[str]:
        return [line.strip() for line in str(super().clean(value) or "").splitlines() if line.strip()]


class EnrolHeldKeyForm(ServiceForm):
    """A key that stays in its token or key service."""

    purpose = forms.ChoiceField(label=_("What it is for"))
    name = NameField(
        max_length=100,
        required=False,
        label=_("Signer's name"),
        help_text=_("Lower case, for example alice. A root key is always called root."),
    )
    location = NameField(
        max_length=255,
        label=_("Where it is"),
        help_text=_("pkcs11:token=LABEL;object=LABEL, awskms:REGION/KEY-ID or vault:MOUNT/NAME."),
    )
    pin = PassphraseField(
        required=False,
        label=_("PIN of the token"),
        help_text=_("Tried once, and typed again for each use. Empty: the signing worker's settings hold it."),
    )
    allowed_guns = GunsField(
        required=False,
        label=_("What a key in a key service may sign"),
        help_text=_("A repository's name a line, or a beginning of names that ends with /*."),
    )

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        given = {"location": request.GET.get("location", ""), "name": request.user.username}
        super().__init__(request, initial=given)
        choices = purposes_for(request, account)
        if may(request.user, "manage_root_keys", account):
            says = gettext("Repository key: vouches for the tags of one repository")
            choices.append((Key.Purpose.REPOSITORY.value, says))
            self.fields["repository"] = choice_of(
                visible_repositories(request.user).filter(account=account),
                required=False,
                label=gettext("Repository of a repository key"),
            )
        cast(forms.ChoiceField, self.fields["purpose"]).choices = choices
        self.order_fields(("purpose", "name", "repository", "location", "pin", "allowed_guns"))


class AllowedGunsForm(ServiceForm):
    """What one key may sign from now on."""

    allowed_guns = GunsField(
        label=_("What it may sign"),
        help_text=_("A repository's name a line, or a beginning of names that ends with /*."),
    )

    def __init__(self, request: HttpRequest, key: Key, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, initial={"allowed_guns": "\n".join(key.allowed_guns)})
