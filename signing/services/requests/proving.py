"""Show to hold a signer's key: its holder signs a text, and what comes back is checked here."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from signing.errors import Conflict, TooLate
from signing.models import ChangeRequest, User
from signing.permissions import require
from signing.services import audit
from signing.services.requests.locking import locked, require_waiting
from signing.trust.policy.possession import require_signed
from signing.trust.tuf.keys import PublicKey


@transaction.atomic
def prove_possession(*, actor: User, request: ChangeRequest, signature: str) -> ChangeRequest:
    """Take the signature of the request's challenge. Whoever may ask may bring it: it speaks for itself.

    Raises:
        InvalidInput: it is not that key's signature of that challenge.
        Conflict: there is nothing to prove.
        TooLate: it was proved, or the request was decided.
    """
    request = locked(request)
    for item in request.items.select_related("repository__account"):
        require(actor, "request_signer", item.repository)
    require_waiting(request)
    if not request.challenge or request.signer is None:
        raise Conflict("This request needs no proof of possession.", next_step="Go on with its decision.")
    if request.proved_at:
        raise TooLate("The possession of the key was proved already.")
    key = request.signer.key
    require_signed(request.challenge, PublicKey.from_pem(key.public_pem), signature)
    request.proved_at = key.proved_at = timezone.now()
    request.save(update_fields=["proved_at"])
    key.save(update_fields=["proved_at"])
    audit.record(
        actor,
        "prove_possession",
        account=request.account,
        subject=request.signer,
        request=request.pk,
        key=key.key_id,
        challenge=request.challenge,
        signature="".join(signature.split()),
    )
    return request
