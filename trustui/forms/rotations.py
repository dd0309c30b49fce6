"""Replacing a key: why, and by which one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import Key, Rotation
from signing.selectors.rotations import candidates_for
from trustui.forms.base import PassphraseField, ServiceForm
from trustui.forms.requests import PASSPHRASE_LABELS
from trustui.htmx import HtmxRequest

UNATTENDED, TYPED = "unattended", "typed"


class RotateForm(ServiceForm):
    """The reason, and the key that comes: one that is here, or a new one."""

    reason = forms.ChoiceField(
        label=_("Why"),
        widget=forms.RadioSelect,
        choices=[
            (Rotation.Reason.PLANNED, _("It is time: the key is fine, and another one should come")),
            (Rotation.Reason.LOST, _("It is lost: nobody can sign with it any more")),
            (Rotation.Reason.COMPROMISED, _("Somebody else may have it: it is frozen at once")),
        ],
    )
    by = forms.ChoiceField(label=_("Replaced by"), widget=forms.RadioSelect)
    passphrase = PassphraseField(
        is_new=True,
        required=False,
        min_length=8,
        label=_("Passphrase of the new key"),
        help_text=_("Only for a new key that asks for it; at least 8 characters."),
    )

    def __init__(self, request: HtmxRequest, key: Key) -> None:
        first = UNATTENDED if key.unattended or not key.is_held_here else TYPED
        super().__init__(request, initial={"reason": request.GET.get("reason", ""), "by": first})
        self.candidates = {row.key_id: row for row in candidates_for(key)}
        self.fields["by"].choices = [  # type: ignore[attr-defined]  # the field's stubs do not know its choices
            (UNATTENDED, gettext("A new key, made here, that signs without asking")),
            (TYPED, gettext("A new key, made here, that asks for its passphrase")),
            *(
                (row.key_id, f"{row.name} {row.key_id[:12]} · {row.get_custody_display()}")
                for row in candidates_for(key)
            ),
        ]

    def arguments(self) -> dict[str, Any]:
        """Give what the service takes."""
        chosen = self.cleaned_data["by"]
        return {
            "reason": self.cleaned_data["reason"],
            "replacement": self.candidates.get(chosen),
            "unattended": chosen == UNATTENDED,
            "passphrase": self.cleaned_data["passphrase"] if chosen == TYPED else None,
        }


class AskForm(ServiceForm):
    """A word for whoever approves."""

    comment = forms.CharField(max_length=500, required=False, label=_("For the person who decides"))


class RetryForm(ServiceForm):
    """The passphrases that the rest of the steps takes."""

    def __init__(self, request: HtmxRequest, purposes: Iterable[str], *, is_sent: bool = True) -> None:
        super().__init__(request, is_sent=is_sent, auto_id="retry_%s")
        self.purposes = tuple(purposes)
        for purpose in self.purposes:
            self.fields[f"passphrase_{purpose}"] = PassphraseField(label=PASSPHRASE_LABELS[purpose])

    def passphrases(self) -> dict[str, str]:
        """Return what was typed, by the purpose of the key."""
        return {purpose: self.cleaned_data[f"passphrase_{purpose}"] for purpose in self.purposes}
