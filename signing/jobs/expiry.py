"""Say once at each mark what is about to run out: metadata, certificates, API tokens, roles with an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.models import Account, ApiToken, Event, Happening, Key, Membership, Repository
from signing.trust.tuf.times import parse_time

MARKS = (180, 90, 30, 7)  # days before the end
SERVER_MADE = ("snapshot", "timestamp")  # renewed by their server without anybody


@dataclass(frozen=True, slots=True)
class _Ending:
    """One thing that ends, and whom and where it concerns."""

    thing: str
    ends: datetime
    subject: str
    path: str
    account: Account | None = None
    repository: Repository | None = None
    owner: int | None = None


def announce_expiring() -> None:
    """Announce what passed a mark since the last look; what was announced at a mark is not announced there again."""
    now = timezone.now()
    for ending in _endings(now + timedelta(days=MARKS[0])):
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


def _is_told(ending: _Ending, mark: int) -> bool:
    return Happening.objects.filter(
        event=Event.EXPIRING,
        detail__thing=ending.thing,
        detail__ends=ending.ends.isoformat(),
        detail__mark__lte=mark,
    ).exists()


def _endings(until: datetime) -> Iterator[_Ending]:
    yield from _metadata(until)
    for key in Key.objects.filter(certificate_expires__lte=until).select_related("account"):
        subject = f"The certificate of the key {key.name} of {key.account} expires"
        ends = key.certificate_expires
        if ends:
            yield _Ending(
                f"certificate {key.key_id}", ends, subject, addresses.key(key), key.account, owner=key.owner_id
            )
    for token in ApiToken.objects.filter(expires_at__lte=until, revoked_at=None).select_related("user"):
        yield _Ending(
            f"token {token.pk}",
            token.expires_at,
            f"The API token {token.name} of {token.user} expires",
            addresses.own_tokens(),
            owner=token.created_by_id,
        )
    for membership in Membership.objects.filter(ends_at__lte=until).select_related("account", "user"):
        if membership.ends_at:
            subject = f"{membership.user} is {membership.role} of {membership.account}, which ends"
            path = addresses.account(membership.account)
            thing = f"membership {membership.pk}"
            yield _Ending(thing, membership.ends_at, subject, path, membership.account, owner=membership.user_id)


def _metadata(until: datetime) -> Iterator[_Ending]:
    for repository in Repository.objects.exclude(roles=[]).select_related("account"):
        for role in repository.roles:
            ends = parse_time(role["expires"].replace("+00:00", "Z"))
            if role["role"] not in SERVER_MADE and ends <= until:
                subject = f"{role['role']} of {repository.gun} expires"
                thing = f"metadata {repository.pk} {role['role']}"
                yield _Ending(thing, ends, subject, addresses.repository(repository), repository.account, repository)
