"""A policy, as it is asked for."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from signing.models import Key, Policy
from signing.selectors.policies import FIELDS
from trustui.forms.requests import ReasonForm
from trustui.htmx import HtmxRequest


class PolicyForm(ReasonForm):
    """What changes have to pass, and why it should change."""

    needed_approvals = forms.IntegerField(
        min_value=1,
        max_value=20,
        label=_("Approvals for signers, keys and policies"),
        help_text=_("The asker never counts."),
    )
    needed_to_sign = forms.IntegerField(
        min_value=0,
        max_value=20,
        label=_("Approvals for signing and revoking"),
        help_text=_("0: whoever holds a signer's role signs directly."),
    )
    request_days = forms.IntegerField(
        min_value=1, max_value=365, label=_("Days a request may wait"), help_text=_("Then it ends undecided.")
    )
    most_signer_days = forms.IntegerField(
        min_value=1,
        max_value=3650,
        required=False,
        label=_("Days a signer may stay at most"),
        help_text=_("Empty: as long as nobody removes them."),
    )
    requires_possession = forms.BooleanField(
        required=False,
        label=_("A signer shows to hold the key before anybody approves"),
        help_text=_("By signing a text with it, on their own machine."),
    )
    requires_step_up = forms.BooleanField(
        required=False,
        label=_("An approval is confirmed with a passkey"),
        help_text=_("Bound to exactly what is approved. Everybody who decides then needs a passkey."),
    )
    refused_custodies = forms.MultipleChoiceField(
        choices=[(custody.value, custody.label) for custody in sorted(Key.Custody)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Keys that may not sign"),
        help_text=_("By where the private half lives. Nothing is signed with such keys, whatever was approved before."),
    )
    field_order = (
        "needed_approvals",
        "needed_to_sign",
        "request_days",
        "most_signer_days",
        "requires_possession",
        "requires_step_up",
        "refused_custodies",
        "reason",
    )

    def clean_refused_custodies(self) -> list[str]:
        return sorted(set(self.cleaned_data["refused_custodies"]))

    def __init__(self, request: HtmxRequest, policy: Policy) -> None:
        super().__init__(request, initial={name: getattr(policy, name) for name in FIELDS})
