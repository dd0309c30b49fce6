"""What all forms share: carrying out one service and showing its refusal, passphrases, uploaded text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import User
from signing.selectors.people import person_named
from signing.trust.errors import TrustError
from trustui.errors import Explanation, explain

Result = TypeVar("Result")

UPLOAD_LIMIT = 64 * 1024  # keys and certificate chains are a few kilobytes
BAD_INPUT = 400


class ServiceForm(forms.Form):
    """A form that ends in one service call; what the service refuses is shown where the person typed."""

    refusal: Explanation | None = None

    def __init__(self, request: HttpRequest, *, is_sent: bool = True, **kwargs: Any) -> None:
        is_sent = is_sent and request.method == "POST"  # of several forms on a page only one is sent
        super().__init__(data=request.POST if is_sent else None, files=request.FILES if is_sent else None, **kwargs)

    def carry_out(self, service: Callable[..., Result], *, actor: User, **arguments: Any) -> Result | None:
        """Call the service; None when it refused, and then the form says why."""
        try:
            return service(actor=actor, **arguments)
        except TrustError as error:
            self.refusal = explain(error)
            return None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows this form."""
        if self.refusal:
            return self.refusal.status
        return BAD_INPUT if self.is_bound and self.errors else 200


class PassphraseField(forms.CharField):
    """A secret for one use: never trimmed, never shown again, not offered to the browser's password store."""

    def __init__(self, *, is_new: bool = False, **kwargs: Any) -> None:
        autocomplete = "new-password" if is_new else "off"
        kwargs.setdefault("widget", forms.PasswordInput(render_value=False, attrs={"autocomplete": autocomplete}))
        super().__init__(strip=False, **kwargs)


class NameField(forms.CharField):
    """A name machines read: no capitals forced on it, no spelling marks under it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}


class PemField(forms.CharField):
    """PEM text, pasted; `PemForm` also takes it as a file."""

    widget = forms.Textarea(attrs={"spellcheck": "false", "autocomplete": "off", "rows": 7})


class PemForm(ServiceForm):
    """A form whose field `pem` may be pasted or uploaded as `pem_file`."""

    pem = PemField(required=False, label=_("PEM text"))
    pem_file = forms.FileField(required=False, label=_("or a file"))

    def clean_pem_file(self) -> str:
        upload: UploadedFile[bytes] | None = self.cleaned_data.get("pem_file")
        if not upload:
            return ""
        if upload.size is None or upload.size > UPLOAD_LIMIT:
            raise forms.ValidationError(gettext("That file is too large to be a key or a certificate."))
        try:
            text: str = upload.read().decode("ascii")
        except UnicodeDecodeError:
            raise forms.ValidationError(gettext("That file is not PEM text.")) from None
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text = cleaned.get("pem_file") or cleaned.get("pem") or ""
        if not text and not self.errors:
            self.add_error("pem", gettext("Paste the text or choose the file."))
        cleaned["pem"] = text
        return cleaned


class PersonField(NameField):
    """A person by their exact user name.

    There is no list to choose from and no completion: who leads one account learns nothing of the people of others
    but whether one name they were told can sign in.
    """

    def clean(self, value: Any) -> User | None:
        name = super().clean(value)
        if not name:
            return None
        person = person_named(name)
        if person is None:
            raise forms.ValidationError(
                gettext("There is no person with the user name %(name)s here.") % {"name": name}
            )
        return person


def choice_of(queryset: models.QuerySet[Any], **kwargs: Any) -> forms.ModelChoiceField[Any]:
    """Offer the rows a person may see; others are not even refused, they are unknown."""
    return forms.ModelChoiceField(queryset=queryset, **kwargs)
