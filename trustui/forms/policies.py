"""A policy, as it is asked for."""

from __future__ import annotations

from django import forms

from signing.models import Policy
from signing.selectors.policies import FIELDS
from trustui.forms.requests import ReasonForm
from trustui.htmx import HtmxRequest


class PolicyForm(ReasonForm):
    """What changes have to pass, and why it should change."""

    needed_approvals = forms.IntegerField(
        min_value=1, max_value=20, label="Approvals for signers, keys and policies", help_text="The asker never counts."
    )
    needed_to_sign = forms.IntegerField(
        min_value=0,
        max_value=20,
        label="Approvals for signing and revoking",
        help_text="0: whoever holds a signer's role signs directly.",
    )
    request_days = forms.IntegerField(
        min_value=1, max_value=365, label="Days a request may wait", help_text="Then it ends undecided."
    )
    most_signer_days = forms.IntegerField(
        min_value=1,
        max_value=3650,
        required=False,
        label="Days a signer may stay at most",
        help_text="Empty: as long as nobody removes them.",
    )
    requires_possession = forms.BooleanField(
        required=False,
        label="A signer shows to hold the key before anybody approves",
        help_text="By signing a text with it, on their own machine.",
    )
    requires_step_up = forms.BooleanField(
        required=False,
        label="An approval is confirmed with a passkey",
        help_text="Bound to exactly what is approved. Everybody who decides then needs a passkey.",
    )
    field_order = (
        "needed_approvals",
        "needed_to_sign",
        "request_days",
        "most_signer_days",
        "requires_possession",
        "requires_step_up",
        "reason",
    )

    def __init__(self, request: HtmxRequest, policy: Policy) -> None:
        super().__init__(request, initial={name: getattr(policy, name) for name in FIELDS})
