"""Asking for changes, proving possession, and deciding."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.approvals.words import KEYS
from signing.models import Account, ChangeRequest, Repository
from signing.selectors.repositories import visible_repositories
from signing.selectors.signers import approved_signers, visible_signers
from trustui.forms.base import NameField, PassphraseField, ServiceForm, choice_of
from trustui.htmx import HtmxRequest

SHOWN_REPOSITORIES = 200  # beyond that the search narrows the choice

PASSPHRASE_LABELS = {
    "root": _("Passphrase of the account's root key"),
    "new_root": _("Passphrase for the new root key"),
    "repository": _("Passphrase of the repository key"),
    "signer": _("Passphrase of the signer's key"),
}


class ReasonForm(ServiceForm):
    """Why something is asked."""

    reason = forms.CharField(max_length=500, required=False, help_text=_("For the person who decides."))


class ManyForm(ReasonForm):
    """What is asked of several repositories of an account."""

    def __init__(self, request: HtmxRequest, account: Account, search: str, **initial: object) -> None:
        chosen = request.GET.getlist("repository")
        super().__init__(request, initial={"repositories": chosen, **initial})
        repositories = visible_repositories(request.user, search).filter(account=account)
        shown = list(repositories.values_list("gun", flat=True)[:SHOWN_REPOSITORIES])
        names = list(dict.fromkeys([*chosen, *request.POST.getlist("repositories"), *shown]))
        self.repositories = visible_repositories(request.user).filter(account=account)
        known = set(self.repositories.filter(gun__in=names).values_list("gun", flat=True))
        self.fields["repositories"] = forms.MultipleChoiceField(
            choices=[(gun, gun) for gun in names if gun in known],
            widget=forms.CheckboxSelectMultiple,
            help_text=gettext("One approval covers all of them."),
        )

    def chosen(self) -> list[Repository]:
        """Give the repositories that were chosen."""
        return list(self.repositories.filter(gun__in=self.cleaned_data["repositories"]))


class SignerRequestForm(ManyForm):
    """A signer, the repositories it should sign, until when, and why."""

    ends_on = forms.DateField(
        required=False,
        label=_("Until and including"),
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("For somebody who helps out: the signer ends on that day. Leave it empty for no end."),
    )
    removes_itself = forms.BooleanField(
        required=False,
        label=_("Take the signer out on that day without asking again"),
        help_text=_("Where the keys sign unattended. Otherwise a request for it is opened on that day."),
    )

    def __init__(self, request: HtmxRequest, account: Account, search: str) -> None:
        super().__init__(request, account, search, signer=request.GET.get("signer", ""))
        self.fields["signer"] = choice_of(visible_signers(request.user).filter(account=account), empty_label=None)
        self.order_fields(("signer", "repositories", "reason", "ends_on", "removes_itself"))

    def ends_at(self) -> datetime | None:
        """Give the moment after the last day, in the dashboard's time zone."""
        day = self.cleaned_data["ends_on"]
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class RemovalRequestForm(ManyForm):
    """A signer, and the repositories it should not sign any more."""

    def __init__(self, request: HtmxRequest, account: Account, search: str) -> None:
        super().__init__(request, account, search, signer=request.GET.get("signer", ""))
        self.fields["signer"] = choice_of(visible_signers(request.user).filter(account=account), empty_label=None)
        self.order_fields(("signer", "repositories", "reason"))


class RotationRequestForm(ManyForm):
    """A base role, and the repositories that get a new key for it."""

    role = forms.ChoiceField(
        label=_("Which key"),
        choices=[(role, KEYS[role].capitalize()) for role in ("targets", "snapshot", "root")],
        widget=forms.RadioSelect,
        help_text=_("All take the root key in use now. A new root key is one for all chosen repositories."),
    )

    def __init__(self, request: HtmxRequest, account: Account, search: str) -> None:
        super().__init__(request, account, search, role=request.GET.get("role", "targets"))
        self.order_fields(("role", "repositories", "reason"))


class SignatureRequestForm(ReasonForm):
    """A digest in the registry, the tag it should be signed as, and whose key signs."""

    tag = NameField(max_length=128, help_text=_("For example 1.4.0. A tag is always needed."))
    digest = NameField(max_length=71, help_text=_("sha256: and 64 hex digits, of the manifest in the registry."))
    length = forms.IntegerField(
        min_value=1, label=_("Manifest size in bytes"), help_text=_("The length of the manifest, not of the image.")
    )

    def __init__(self, request: HtmxRequest, repository: Repository) -> None:
        super().__init__(request, initial={name: request.GET.get(name, "") for name in ("tag", "digest", "length")})
        here = [row.pk for row in approved_signers(repository) if row.key.is_held_here]
        self.fields["signer"] = choice_of(
            visible_signers(request.user).filter(pk__in=here), empty_label=None, label=gettext("Signed as")
        )
        self.order_fields(("tag", "digest", "length", "signer", "reason"))


class ApprovalForm(ServiceForm):
    """A yes to exactly what was shown, a comment, and the passphrases of administrative keys that ask for one."""

    content_hash = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    comment = forms.CharField(max_length=500, required=False)

    def __init__(
        self, request: HtmxRequest, purposes: Iterable[str], *, content: str = "", is_sent: bool = True
    ) -> None:
        super().__init__(request, is_sent=is_sent, initial={"content_hash": content})
        self.purposes = tuple(purposes)
        for purpose in self.purposes:
            self.fields[f"passphrase_{purpose}"] = PassphraseField(label=PASSPHRASE_LABELS[purpose])

    def passphrases(self) -> dict[str, str]:
        """Return what was typed, by the purpose of the key."""
        return {purpose: self.cleaned_data[f"passphrase_{purpose}"] for purpose in self.purposes}


class RejectionForm(ServiceForm):
    """A no and its reason."""

    comment = forms.CharField(max_length=500, required=False, label=_("Why not"))

    def __init__(self, request: HtmxRequest, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, auto_id="reject_%s")  # the approval's fields are on the page too


class ProofForm(ServiceForm):
    """The signature of the challenge, as trustctl or openssl print it."""

    signature = forms.CharField(
        max_length=6000,
        label=_("Signature"),
        widget=forms.Textarea(attrs={"spellcheck": "false", "autocomplete": "off", "rows": 3}),
        help_text=_("All of what the command printed."),
    )

    def __init__(self, request: HtmxRequest, *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, auto_id="proof_%s")


class GoOnForm(ServiceForm):
    """The passphrases that what is left takes."""

    def __init__(self, request: HtmxRequest, purposes: Iterable[str], *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, auto_id="goon_%s")
        self.purposes = tuple(purposes)
        for purpose in self.purposes:
            self.fields[f"passphrase_{purpose}"] = PassphraseField(label=PASSPHRASE_LABELS[purpose])

    def passphrases(self) -> dict[str, str]:
        """Return what was typed, by the purpose of the key."""
        return {purpose: self.cleaned_data[f"passphrase_{purpose}"] for purpose in self.purposes}


class ChangeForm(ManyForm):
    """Other repositories, and why."""

    def __init__(self, request: HtmxRequest, asked: ChangeRequest, search: str) -> None:
        chosen = [item.repository.gun for item in asked.items.all()]
        super().__init__(request, asked.account, search, repositories=chosen, reason=asked.reason)
        self.order_fields(("repositories", "reason"))
