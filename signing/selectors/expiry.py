"""What runs out among the things a person may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from signing import expiry
from signing.expiry import Ending
from signing.models import ChangeRequest, Membership, Repository, User
from signing.selectors.api_tokens import visible_tokens
from signing.selectors.keys import visible_keys
from signing.selectors.reach import Reach
from signing.selectors.trust_servers import visible_trust_servers


@dataclass(frozen=True, slots=True)
class ExpiryFilter:
    """Which endings are asked for; empty members ask for nothing in particular.

    `days` asks for what ends within so many days, what is over included; `month` is like 2027-01.
    """

    account: str = ""
    kind: str = ""
    days: int | None = None
    month: str = ""

    def apply(self, endings: list[Ending], now: datetime) -> list[Ending]:
        """Narrow endings to these."""
        return [ending for ending in endings if self._admits(ending, now)]

    def _admits(self, ending: Ending, now: datetime) -> bool:
        return (
            (not self.account or (ending.account is not None and ending.account.name == self.account))
            and (not self.kind or ending.kind == self.kind)
            and (self.days is None or ending.days_left(now) < self.days)
            and (not self.month or month_of(ending) == self.month)
        )


def visible_endings(user: User) -> list[Ending]:
    """List what runs out, the next first: of repositories, keys, tokens, roles, signers and trust servers in reach.

    Metadata and certificates that are over stay in the list, since somebody has to act; tokens and roles do not.
    """
    return sorted(_endings(user, timezone.now()), key=lambda ending: (ending.ends, ending.thing))


def month_of(ending: Ending) -> str:
    """Give the month, in the installation's time zone, in which it ends."""
    return f"{ending.ends.astimezone(timezone.get_current_timezone()):%Y-%m}"


def _endings(user: User, now: datetime) -> Iterator[Ending]:
    reach = Reach(user)
    repositories = Repository.objects.filter(reach.repositories())
    yield from expiry.of_metadata(repositories.select_related("account"))
    yield from expiry.of_certificates(visible_keys(user))
    yield from expiry.of_tokens(visible_tokens(user), now)
    yield from expiry.of_memberships(_visible_memberships(reach), now)
    yield from expiry.of_signers(ChangeRequest.objects.filter(reach.requests()))
    yield from expiry.of_authorities(visible_trust_servers(user))


def _visible_memberships(reach: Reach) -> QuerySet[Membership]:
    """List the roles in accounts and repositories that are reached, and the person's own."""
    if reach.is_everything:
        return Membership.objects.all()
    own = Q(user=reach.user) & reach.in_accounts()
    repositories = Repository.objects.filter(reach.repositories())
    return Membership.objects.filter(reach.in_whole_accounts() | own | Q(repository__in=repositories))
