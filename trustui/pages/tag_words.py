"""Why a tag is not verified, and what to do about it, by the code of the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Words = tuple["StrOrPromise", "StrOrPromise"]

REASONS: dict[str, Words] = {
    "registry_differs": (
        _("The registry shows another image under this tag than the one that was signed."),
        _("Find out who pushed it. Sign the new image if it is right; else push the signed one again."),
    ),
    "unknown_signer_key": (
        _("The signature holds, but nobody here knows the key behind it."),
        _("Ask whose key it is. A lead accepts the new signer if it is right; if not, take the signer out."),
    ),
    "expired_metadata": (
        _("The signature was right, but the time of a signed file it rests on is over."),
        _("Ask a key holder of that role to sign it again; the repository names it."),
    ),
    "rollback": (
        _("The trust server shows older data than was seen before, so nothing newer is vouched for."),
        _("Do not use the image. Ask the administrator of the trust server what happened."),
    ),
    "untrusted_root": (
        _("The root key of the repository was replaced, and the key trusted before did not sign the new one."),
        _("Compare the fingerprint of the root key with its owner before anybody trusts it again."),
    ),
    "unmet_threshold": (
        _("Too few of the keys that may sign it signed the file that names this tag."),
        _("Do not use the image. Have the signer sign again with a key that the repository lists."),
    ),
    "no_trust_data": (
        _("The trust server has no trust data for this repository."),
        _("Add a first signer: that initialises it."),
    ),
    "trust_data_lost": (
        _("The repository had trust data before, but its trust server has none now."),
        _("Ask the administrator of the trust server what became of it."),
    ),
}
OTHERWISE: Words = (
    _("What the trust server shows of this repository is not what its keys signed."),
    _("Do not use the image. Ask the administrator of the trust server what changed."),
)


def reason_of(code: str) -> Words | None:
    """Give the sentence and the next step of a code; None where there is nothing to explain."""
    return REASONS.get(code, OTHERWISE) if code else None
