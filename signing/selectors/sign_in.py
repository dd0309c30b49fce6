"""How people sign in: their second factors, where they are signed in, and who must have what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings

from signing.models import AuditEvent, User
from signing.roles import LEADS, memberships_of

COUNTING = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What a person has beside the password."""

    app_since: datetime | None
    passkeys: tuple[Authenticator, ...]
    codes_left: int | None

    @property
    def any(self) -> bool:
        return bool(self.app_since or self.passkeys)


def second_factors_of(person: User) -> SecondFactors:
    """List a person's second factors; `codes_left` None: there are no recovery codes."""
    app_since, passkeys, codes_left = None, [], None
    for factor in Authenticator.objects.filter(user=person).order_by("created_at", "pk"):
        if factor.type == Authenticator.Type.TOTP:
            app_since = factor.created_at
        elif factor.type == Authenticator.Type.WEBAUTHN:
            passkeys.append(factor)
        else:
            codes_left = len(factor.wrap().get_unused_codes())
    return SecondFactors(app_since, tuple(passkeys), codes_left)


def has_second_factor(person: User) -> bool:
    """Tell whether a second step is asked of a person who signs in by password."""
    return bool(Authenticator.objects.filter(user=person, type__in=COUNTING).exists())


def must_have_second_factor(person: User) -> bool:
    """Tell whether REQUIRE_SECOND_FACTOR names this person: everybody, or administrators and leads."""
    required = settings.REQUIRE_SECOND_FACTOR
    if required == "all" or required == "none":
        return bool(required == "all")
    return person.is_superuser or memberships_of(person).filter(role__in=LEADS).exists()


def reset_since(person: User, moment: datetime | None) -> AuditEvent | None:
    """Find the newest reset of a person's second factor after a moment."""
    if moment is None:
        return None
    return AuditEvent.objects.filter(action="reset_second_factor", subject=person.username, at__gt=moment).first()


def sessions_of(person: User) -> Iterator[UserSession]:
    """List where a person is signed in, newest first; those that ended otherwise are forgotten on the way."""
    yield from sorted(
        UserSession.objects.purge_and_list(person), key=lambda session: session.last_seen_at, reverse=True
    )
