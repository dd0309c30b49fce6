"""Publishing, signing, trying again."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Repository
from signing.selectors.signers import usable_signers, visible_signers
from trustui.forms.base import NameField, PassphraseField, ServiceForm, choice_of
from trustui.htmx import HtmxRequest


class _SigningForm(ServiceForm):
    """A tag, and the signer who signs it."""

    tag = NameField(max_length=128, help_text=_("For example 1.4.0. A tag is always needed."))

    def __init__(self, request: HtmxRequest, repository: Repository, **initial: str) -> None:
        super().__init__(request, initial=initial)
        self.signers = [signer for signer in usable_signers(request.user, repository) if signer.key.is_held_here]
        queryset = visible_signers(request.user).filter(pk__in=[signer.pk for signer in self.signers])
        self.fields["signer"] = choice_of(
            queryset, empty_label=None, label=gettext("Sign as"), required=bool(self.signers)
        )
        asking = [signer.name for signer in self.signers if signer.key.asks_passphrase]
        if asking:
            self.fields["passphrase"] = PassphraseField(
                required=False,
                label=gettext("Passphrase of the signer's key"),
                help_text=gettext("Sealed to the signing worker for this one operation.")
                if len(asking) == len(self.signers)
                else gettext("Asked for %(value)s only.") % {"value": ", ".join(asking)},
            )


class PublishForm(_SigningForm):
    """A source image and where it goes."""

    source = NameField(
        max_length=512,
        label=_("Source image"),
        help_text=_("Where it comes from, with its tag or digest: alpine:3.20, registry.example.com/team/app:1.4.0."),
        widget=forms.TextInput(attrs={"list": "local-images"}),
    )
    from_local = forms.BooleanField(
        required=False,
        label=_("It is already on the Docker Engine"),
        help_text=_("Do not pull; take the local copy as it is."),
    )
    field_order = ("source", "from_local", "tag", "signer", "passphrase", "sign")

    def __init__(self, request: HtmxRequest, repository: Repository) -> None:
        super().__init__(request, repository, source=request.GET.get("source", ""), tag=request.GET.get("tag", ""))
        if not repository.account.enforces_trust:
            self.fields["sign"] = forms.BooleanField(
                required=False,
                initial=True,
                label=gettext("Sign it"),
                help_text=gettext("This account also allows unsigned tags."),
            )
        self.order_fields(self.field_order)


class SignDigestForm(_SigningForm):
    """A digest that is in the registry already."""

    digest = NameField(max_length=71, help_text=_("sha256: and 64 hex digits, of the manifest in the registry."))
    length = forms.IntegerField(
        min_value=1, label=_("Manifest size in bytes"), help_text=_("The length of the manifest, not of the image.")
    )
    field_order = ("tag", "digest", "length", "signer", "passphrase")

    def __init__(self, request: HtmxRequest, repository: Repository) -> None:
        given = {name: request.GET.get(name, "") for name in ("tag", "digest", "length")}
        super().__init__(request, repository, **given)
        self.order_fields(self.field_order)


class RetryForm(ServiceForm):
    """The passphrases a second try needs again."""

    def __init__(
        self, request: HtmxRequest, purposes: Iterable[str], *, may_insist: bool = False, is_sent: bool = True
    ) -> None:
        super().__init__(request, is_sent=is_sent)
        self.purposes = tuple(purposes)
        for purpose in self.purposes:
            self.fields[f"passphrase_{purpose}"] = PassphraseField(
                label=gettext("Passphrase of the %(purpose)s key") % {"purpose": purpose}
            )
        if may_insist:
            self.fields["insists"] = forms.BooleanField(
                required=False,
                label=gettext("Try the PIN although one more wrong one locks the token"),
                help_text=gettext("A locked token needs its security officer, or is lost with its keys."),
            )

    def passphrases(self) -> dict[str, str]:
        """Return what was typed, by the purpose of the key."""
        return {purpose: self.cleaned_data[f"passphrase_{purpose}"] for purpose in self.purposes}
