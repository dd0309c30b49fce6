"""Count wrong passwords and codes, per person and per address, over all web processes; then make them wait.

allauth's limits do the counting, in the cache that all web processes share. This adds what a person has to be told,
the one audit event of a lock, and that a right answer gives back only what it took itself: whoever guesses at others
cannot clear an address's count by signing in as themselves in between.
"""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from signing.models import User
from signing.services.sign_in import note_lock

APP, ACTION = "allauth.account", "login_failed"


class LockedOut(ValidationError):
    """Too many wrong answers; `seconds` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.sentence = _sentence(seconds)
        super().__init__(self.sentence, code="too_many_login_attempts")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One guess that was let through; it counts as wrong until it says otherwise."""

    usage: Any

    def succeeded(self) -> None:
        """Take this guess, and no other, out of the count."""
        self.usage.rollback()


def attempt(request: HttpRequest, who: str) -> Attempt:
    """Count a guess at a user name's password or code before it is looked at.

    Raises:
        LockedOut: there were too many for this name or from this address; it is not even looked at.
    """
    key = key_of(who)
    usage = ratelimit.consume(request, app=APP, action=ACTION, key=key, limit_get=True)
    if usage is None:
        seconds = seconds_to_wait(request, who)
        if not seconds:  # many guesses at the same moment: the count could not be read in time
            raise LockedOut(1)
        address = ratelimit.get_ip(request)
        told = hashlib.sha256(f"{key} {address}".encode()).hexdigest()
        if cache.add(f"trustui:locked:{told}", True, timeout=seconds):
            note_lock(who, address=address, until=timezone.now() + timedelta(seconds=seconds))
        raise LockedOut(seconds)
    return Attempt(usage)


def attempt_of(request: HttpRequest, person: User) -> Attempt:
    """Count a guess at somebody's code: together with those at their password."""
    return attempt(request, person.username)


def key_of(who: str) -> str:
    """Name what is counted: a user name, however it is written and under whichever host name it was sent."""
    return f"trustui:{who.strip().casefold()}"


def seconds_to_wait(request: HttpRequest, who: str) -> int:
    """Tell when the next guess is looked at; 0: now."""
    now, longest = time.time(), 0.0
    for rate in ratelimit.get_rates(app=APP, action=ACTION):
        place = ratelimit.get_cache_key(request, app=APP, action=ACTION, rate=rate, key=key_of(who))
        counted = [moment for moment in cache.get(place, []) if moment > now - rate.duration]
        if len(counted) >= rate.amount:
            longest = max(longest, counted[rate.amount - 1] + rate.duration - now)
    return math.ceil(longest)


def _sentence(seconds: int) -> str:
    minutes = math.ceil(seconds / 60)
    after = (
        gettext("a moment")
        if seconds == 1
        else gettext("%(seconds)s seconds") % {"seconds": seconds}
        if seconds < 90
        else gettext("%(minutes)s minutes") % {"minutes": minutes}
    )
    clock = timezone.now() + timedelta(seconds=seconds)
    return gettext(
        "Too many wrong passwords or codes for this user name or from this address. "
        "Try again in %(after)s, at %(clock)s UTC."
    ) % {"after": after, "clock": f"{clock:%H:%M:%S}"}
