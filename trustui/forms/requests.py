"""Asking for a signer, and deciding about it."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from signing.models import Account
from signing.selectors.repositories import visible_repositories
from signing.selectors.signers import visible_signers
from trustui.forms.base import PassphraseField, ServiceForm, choice_of
from trustui.htmx import HtmxRequest

SHOWN_REPOSITORIES = 200  # beyond that the search narrows the choice

PASSPHRASE_LABELS = {
    "root": "Passphrase of the account's root key",
    "repository": "Passphrase of the repository key",
}


class SignerRequestForm(ServiceForm):
    """A signer, the repositories it should sign, and why."""

    reason = forms.CharField(max_length=500, required=False, help_text="For the person who decides.")
    field_order = ("signer", "repositories", "reason")

    def __init__(self, request: HtmxRequest, account: Account, search: str) -> None:
        chosen = request.GET.getlist("repository")
        super().__init__(request, initial={"signer": request.GET.get("signer", ""), "repositories": chosen})
        self.fields["signer"] = choice_of(visible_signers(request.user).filter(account=account), empty_label=None)
        repositories = visible_repositories(request.user, search).filter(account=account)
        shown = list(repositories.values_list("gun", flat=True)[:SHOWN_REPOSITORIES])
        names = list(dict.fromkeys([*chosen, *request.POST.getlist("repositories"), *shown]))
        self.repositories = visible_repositories(request.user).filter(account=account)
        known = set(self.repositories.filter(gun__in=names).values_list("gun", flat=True))
        self.fields["repositories"] = forms.MultipleChoiceField(
            choices=[(gun, gun) for gun in names if gun in known],
            widget=forms.CheckboxSelectMultiple,
            help_text="One approval covers all of them.",
        )
        self.order_fields(self.field_order)


class ApprovalForm(ServiceForm):
    """A yes: a comment, and the passphrases of administrative keys that ask for one."""

    comment = forms.CharField(max_length=500, required=False)

    def __init__(self, request: HtmxRequest, purposes: Iterable[str], *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent)
        self.purposes = tuple(purposes)
        for purpose in self.purposes:
            self.fields[f"passphrase_{purpose}"] = PassphraseField(label=PASSPHRASE_LABELS[purpose])

    def passphrases(self) -> dict[str, str]:
        """Return what was typed, by the purpose of the key."""
        return {purpose: self.cleaned_data[f"passphrase_{purpose}"] for purpose in self.purposes}


class RejectionForm(ServiceForm):
    """A no and its reason."""

    comment = forms.CharField(max_length=500, required=False, label="Why not")

    def __init__(self, request: HtmxRequest, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, auto_id="reject_%s")  # the approval's fields are on the page too
