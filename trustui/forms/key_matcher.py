"""What is asked of the key matcher."""

from __future__ import annotations

from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext

from signing.selectors.key_matcher import read_ids
from signing.trust.errors import TrustError
from trustui.errors import explain
from trustui.forms.base import PemForm
from trustui.htmx import HtmxRequest


class KeyMatcherForm(PemForm):
    """An id, or the public half of a key. What is sent is never shown again: it may be private by mistake."""

    def __init__(self, request: HtmxRequest) -> None:
        super().__init__(request)
        self.fields["pem"].label = gettext("Key ID or public key")
        self.fields["pem"].widget.attrs["rows"] = 5
        self.fields["pem"].help_text = gettext(
            "At least 12 digits of the ID, or the text of a .pub, .crt or .pem file. Never a private key."
        )
        self.fields["pem_file"].label = gettext("or drop a file here")

    def read(self) -> list[str]:
        """Give the ids it names; none where it was refused, and then the form says why."""
        try:
            return read_ids(self.cleaned_data["pem"])
        except TrustError as error:
            self.refusal = explain(error)
            return []

    def forget(self) -> None:
        """Keep nothing of what was sent, so that no page can show it."""
        self.data, self.files, self.cleaned_data = QueryDict(), MultiValueDict(), {}
