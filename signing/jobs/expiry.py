"""Say once at each mark what is about to run out: metadata, certificates, API tokens, roles and signers with an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from signing import expiry
from signing.announcing import announce
from signing.expiry import Ending, Kind
from signing.models import (
    ApiToken,
    ChangeRequest,
    Event,
    Happening,
    Key,
    Membership,
    Repository,
    TrustServer,
)

MARKS = (180, 90, 30, 7)  # days before the end


def announce_expiring() -> None:
    """Announce what passed a mark since the last look; what was announced at a mark is not announced there again."""
    now = timezone.now()
    for ending in _endings(now):
        mark = min((days for days in MARKS if ending.ends <= now + timedelta(days=days)), default=0)
        if ending.ends <= now or not mark or _is_told(ending, mark):
            continue
        announce(
            Event.EXPIRING,
            subject=f"{ending.subject} on {ending.ends:%Y-%m-%d}.",
            path=ending.path,
            account=ending.account,
            repository=ending.repository,
            thing=ending.thing,
            ends=ending.ends.isoformat(),
            mark=mark,
            owner=ending.owner,
        )


def _is_told(ending: Ending, mark: int) -> bool:
    return Happening.objects.filter(
        event=Event.EXPIRING,
        detail__thing=ending.thing,
        detail__ends=ending.ends.isoformat(),
        detail__mark__lte=mark,
    ).exists()


def _endings(now: datetime) -> Iterator[Ending]:
    until = now + timedelta(days=MARKS[0])
    repositories = Repository.objects.exclude(roles=[]).select_related("account")
    yield from (ending for ending in expiry.of_metadata(repositories) if ending.kind != Kind.SERVER)
    yield from expiry.of_certificates(Key.objects.filter(certificate_expires__lte=until).defer("envelope"))
    yield from expiry.of_tokens(ApiToken.objects.filter(expires_at__lte=until), now)
    yield from expiry.of_memberships(Membership.objects.filter(ends_at__lte=until), now)
    yield from expiry.of_signers(ChangeRequest.objects.filter(signer_ends_at__lte=until))
    yield from expiry.of_authorities(TrustServer.objects.exclude(ca_pem="").defer("password"))
