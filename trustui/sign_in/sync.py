"""Ask directories whether they still vouch for the people who sign in through them.

Who is signed in is asked about in every pass, the others now and then. A directory that gives no clear answer changes
nothing; one that suddenly knows hardly anybody any more is taken for a wrong setting, not for a mass of leavers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from signing.models import Identity
from signing.services.leavers import shut_out
from trustui.sign_in import oidc

SELDOM = timedelta(minutes=15)
SUSPICIOUS = 5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass found: people asked about, shut out, and not known to be anything."""

    asked: int
    left: int
    unclear: int


def sync() -> Outcome:
    """Ask about everybody who is due, and shut out who is gone."""
    asked, gone, unclear = 0, [], 0
    for source, still_known in _directories().items():
        due = list(_due(source))
        answers = {identity: still_known(identity) for identity in due}
        missing = [identity for identity, answer in answers.items() if answer is False]
        if len(missing) >= SUSPICIOUS and 2 * len(missing) > len(due):
            log.error("%s knows %d of %d people no more; nobody was shut out", source, len(missing), len(due))
            missing = []
        asked += len(due)
        gone += missing
        unclear += sum(answer is None for answer in answers.values())
    left = sum(shut_out(identity, why=_why(identity)) for identity in gone)
    return Outcome(asked, left, unclear)


def is_needed() -> bool:
    """Tell whether any directory is configured."""
    return bool(settings.OIDC_URL or settings.LDAP_URL)


def _directories() -> dict[str, Callable[[Identity], bool | None]]:
    asking: dict[str, Callable[[Identity], bool | None]] = {}
    if settings.OIDC_URL:
        asking[Identity.Source.OIDC] = oidc.still_known
    if settings.LDAP_URL:
        from trustui.sign_in import ldap_people  # its packages are an extra

        asking[Identity.Source.LDAP] = ldap_people.still_known
    return asking


def _due(source: str) -> QuerySet[Identity]:
    is_signed_in = Exists(UserSession.objects.filter(user=OuterRef("user")))
    seldom = Q(checked_at=None) | Q(checked_at__lt=timezone.now() - SELDOM)
    known = Identity.objects.filter(source=source, gone_at=None, user__is_active=True)
    return known.filter(is_signed_in | seldom).select_related("user").order_by("checked_at")


def _why(identity: Identity) -> str:
    return f"{identity.user.username} left: unknown to {identity.source.upper()}."
