"""Signers."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Account, Key
from signing.permissions import may
from signing.selectors.accounts import people_of
from signing.selectors.keys import visible_keys
from trustui.forms.base import NameField, ServiceForm, choice_of
from trustui.htmx import HtmxRequest


class SignerForm(ServiceForm):
    """A name, its key, and whose it is."""

    name = NameField(
        max_length=100, help_text=_("What docker trust inspect will print. Lower case letters, digits, hyphens.")
    )

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        mine = {"name": request.user.username, "user": request.user.username}
        super().__init__(request, initial=mine | {"key": request.GET.get("key", "")})
        keys = visible_keys(request.user).filter(account=account, purpose=Key.Purpose.SIGNER)
        if not may(request.user, "create_signer_for_others", account):
            keys = keys.filter(owner=request.user)
        self.fields["key"] = choice_of(keys, to_field_name="key_id", empty_label=None)
        if may(request.user, "create_signer_for_others", account):
            self.fields["user"] = choice_of(
                people_of(account, request.user),
                to_field_name="username",
                required=False,
                label=gettext("Person"),
                empty_label="nobody: a machine's signer",
            )
