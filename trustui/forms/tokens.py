"""API tokens."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from signing.models import ApiToken, User
from signing.permissions import MACHINE_SCOPES
from signing.selectors.repositories import visible_repositories
from signing.services.api_tokens import MOST_DAYS
from trustui.forms.base import NameField, ServiceForm
from trustui.forms.repositories import RepositoriesField
from trustui.htmx import HtmxRequest

# What a token with this scope may do, in one plain sentence.
SCOPES = {
    ApiToken.Scope.READ: _("Read: see what its owner sees."),
    ApiToken.Scope.REQUEST: _("Ask: request signatures, revocations and changes of signers; somebody else decides."),
    ApiToken.Scope.PUBLISH: _("Publish: push, sign with its owner's signers, pull and check."),
    ApiToken.Scope.APPROVE: _("Decide: approve and reject what others asked for."),
    ApiToken.Scope.MANAGE: _("Manage: change accounts, people, keys and trust servers as far as its owner may."),
}
DAYS = (7, 30, 90, 180, MOST_DAYS)


def _days() -> list[tuple[int, str]]:
    return [(days, ngettext("%(count)d day", "%(count)d days", days) % {"count": days}) for days in DAYS]


class TokenForm(ServiceForm):
    """A new token of a person or of a machine account."""

    name = NameField(max_length=100, label=_("Where it is used"), help_text=_("For example “laptop” or “release job”."))
    days = forms.TypedChoiceField(
        choices=_days,
        coerce=int,
        initial=30,
        label=_("Expires after"),
    )
    field_order = ("name", "scopes", "repositories", "days")

    def __init__(self, request: HtmxRequest, owner: User) -> None:
        super().__init__(request)
        known = [scope for scope in SCOPES if not owner.is_machine or scope in MACHINE_SCOPES]
        scopes = forms.MultipleChoiceField(
            choices=[(scope.value, SCOPES[scope]) for scope in known],
            initial=["read", "request"] if owner.is_machine else ["read"],
            widget=forms.CheckboxSelectMultiple,
            label=gettext("What it may do"),
            help_text=gettext("Never more than its owner may."),
        )
        rows = visible_repositories(request.user).filter(pk__in=visible_repositories(owner).values("pk"))
        self.fields |= {
            "scopes": scopes,
            "repositories": RepositoriesField(
                request,
                rows,
                required=owner.is_machine,
                label=gettext("Only in these repositories"),
                help_text="" if owner.is_machine else gettext("None: wherever its owner may."),
            ),
        }
        self.order_fields(self.field_order)
