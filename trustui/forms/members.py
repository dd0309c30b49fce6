"""Who has which role, and until when; machine accounts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Account, Membership
from signing.selectors.repositories import visible_repositories
from signing.services.people import LONGEST_NAME, LONGEST_USERNAME
from trustui.forms.base import NameField, PersonField, ServiceForm
from trustui.forms.repositories import RepositoriesField
from trustui.htmx import HtmxRequest

# What each role is for, in one plain sentence.
ROLES = {
    Membership.Role.ADMIN: _("everything a lead does, and makes leads and admins"),
    Membership.Role.LEAD: _("approves what others ask for, manages repositories, keys and people below leads"),
    Membership.Role.SIGNER: _("has keys, signs and publishes, asks"),
    Membership.Role.DEVELOPER: _("publishes and asks; signs with a signer that is theirs"),
    Membership.Role.AUDITOR: _("reads everything, the audit log included, and changes nothing"),
}


def end_of(day: date | None) -> datetime | None:
    """Turn the last day on which something counts into the moment it ends."""
    if day is None:
        return None
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time())
    return timezone.make_aware(midnight)


class LastDayField(forms.DateField):
    """The last day on which something counts; empty for no end."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
        super().__init__(required=False, **kwargs)


class MemberForm(ServiceForm):
    """A person and their role here."""

    user = PersonField(
        max_length=LONGEST_USERNAME, label=_("User name"), help_text=_("Exactly as they sign in with it; ask them.")
    )
    role = forms.ChoiceField(initial=Membership.Role.DEVELOPER)
    last_day = LastDayField(
        label=_("Until"), help_text=_("The last day the role counts (UTC). Empty: until it is taken.")
    )

    def __init__(self, request: HtmxRequest, *, may_make_leads: bool, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent)
        high = (Membership.Role.ADMIN, Membership.Role.LEAD)
        choices = [(role.value, role.label) for role in Membership.Role if may_make_leads or role not in high]
        self.fields["role"] = forms.ChoiceField(choices=choices, initial=Membership.Role.DEVELOPER)

    def membership(self) -> dict[str, Any]:
        """Give the service's arguments."""
        given = self.cleaned_data
        return {"user": given["user"], "role": given["role"], "ends_at": end_of(given["last_day"])}


class MachineForm(ServiceForm):
    """A new machine account in one account."""

    username = NameField(
        max_length=LONGEST_USERNAME,
        label=_("Account name"),
        help_text=_("What the record calls it, for example ci-team."),
    )
    full_name = forms.CharField(
        max_length=LONGEST_NAME,
        required=False,
        label=_("What it is"),
        help_text=_("For people, for example “Jenkins of team”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: HtmxRequest, account: Account) -> None:
        super().__init__(request)
        rows = visible_repositories(request.user).filter(account=account)
        self.fields["repositories"] = RepositoriesField(
            request,
            rows,
            required=False,
            help_text=gettext("Where it may ask. None: in every repository of the account."),
        )
