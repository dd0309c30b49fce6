"""People who leave: their signers are flagged, and the removal of their keys is asked for.

Nothing is removed by itself: what a leaver signed may be in use, so leads decide about each request.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils import timezone

from signing.models import Identity, Repository, Signer, User
from signing.selectors.signers import repositories_of
from signing.services import audit
from signing.services.requests import request_signer_removal
from signing.trust.errors import TrustError

log = logging.getLogger(__name__)


def close(person: User) -> int:
    """Take a person's way in: password, sessions and API tokens; return how many tokens that were.

    It belongs to the act that writes the event.
    """
    person.is_active = False
    person.set_unusable_password()  # another hash: every session of theirs ends
    person.save(update_fields=["is_active", "password"])
    return person.api_tokens.filter(revoked_at=None).update(revoked_at=timezone.now())


def flag_signers(person: User, *, why: str) -> list[str]:
    """Flag the signers of somebody who left, and ask in the product's own name for the removal of each.

    It belongs to the act that ends their access, whose event names the signers; each request it drafts writes its
    own. A removal that is asked for already is left as it is.
    """
    flagged = []
    for signer in Signer.objects.select_for_update(of=("self",)).select_related("account", "key").filter(user=person):
        signer.flag = why[:200]
        signer.save(update_fields=["flag"])
        flagged.append(f"{signer.account.name}/{signer.name}")
        if repositories := repositories_of(signer):
            _ask_for_removal(signer, repositories, why)
    return flagged


@transaction.atomic
def shut_out(identity: Identity, *, why: str) -> bool:
    """Deactivate a person whom their directory does not know any more.

    Whoever it vouches for again comes back by signing in there (`signing.services.directories.vouch`). False: nothing
    was done, for it was done before or they signed in there anew since the directory was asked.
    """
    seen, identity = identity, Identity.objects.select_for_update().get(pk=identity.pk)
    if identity.gone_at or identity.locked_token != seen.locked_token:
        return False
    identity.gone_at = timezone.now()
    identity.locked_token = ""
    identity.save(update_fields=["gone_at", "locked_token"])
    person = User.objects.select_for_update().get(pk=identity.user_id)
    if not person.is_active:
        return False
    tokens, flagged = close(person), flag_signers(person, why=why)
    audit.record(
        None,
        "deactivate_person",
        account=None,
        subject=person.username,
        reason=why,
        revoked_tokens=tokens,
        flagged_signers=flagged,
    )
    return True


def _ask_for_removal(signer: Signer, repositories: list[Repository], why: str) -> None:
    try:
        with transaction.atomic():
            request_signer_removal(actor=None, signer=signer, repositories=repositories, reason=why)
    except TrustError as problem:  # asked for already, or not possible now: the person is out all the same
        log.warning("the removal of signer %s was not asked for: %s", signer.pk, problem.code)
