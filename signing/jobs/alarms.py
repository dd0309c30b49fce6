"""Raise alerts, exactly one for each thing, and clear them once the world is right again.

Each raising and each clearing is one audit event and one happening, which becomes notices, mails and webhooks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing import addresses, chain
from signing.announcing import announce
from signing.models import Account, Alert, Event, Repository, TrustServer

Kind = Alert.Kind
FAILURES = (Kind.EXPIRED, Kind.UNKNOWN_KEY, Kind.BROKEN, Kind.ROLLBACK)
MOST_TOLD = 10
"""Of one kind in one repository at a time each is told by itself; the rest together, as the page has them all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is wrong with what; `tag` empty where it is the whole repository."""

    kind: str
    code: str
    reason: str
    next_step: str
    tag: str = ""
    evidence: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Place:
    """What an alert is about: a repository, a trust server, or an account's registry."""

    repository: Repository | None = None
    trust_server: TrustServer | None = None
    registry_of: Account | None = None

    @property
    def account(self) -> Account | None:
        """The account whose people are told; of a trust server everybody who uses it."""
        return self.repository.account if self.repository else self.registry_of

    def alerts(self) -> Any:
        """Give its open alerts."""
        return Alert.objects.filter(
            repository=self.repository, trust_server=self.trust_server, account=self.registry_of, cleared_at=None
        )


def settle(
    place: Place, wanted: Iterable[Facts], within: Collection[str], opened: Iterable[Alert] | None = None
) -> None:
    """Make the open alerts of these kinds be the wanted ones: raise what is new, clear what is over.

    `opened` are the place's open alerts, where the caller has read them already.
    """
    open_now = {(row.kind, row.tag): row for row in (place.alerts() if opened is None else opened)}
    facts = {(one.kind, one.tag): one for one in wanted}
    raised = [(place, one) for key, one in facts.items() if key not in open_now]
    for key, row in open_now.items():
        if key in facts:
            _update(row, facts[key])
        elif row.kind in within:
            clear(place, row)
    _raise(raised)


def clear(place: Place, alert: Alert, because: str = "") -> bool:
    """Clear one alert and say so once; False where somebody else did."""
    now = timezone.now()
    with transaction.atomic():
        mine = Alert.objects.filter(pk=alert.pk, cleared_at=None)
        if not mine.update(cleared_at=now, cleared_because=because or "It is right again."):
            return False
        subject = f"{alert.subject} is right again: {alert.get_kind_display().lower()} is over."
        _record("alert_cleared", place, alert)
        _announce(Event.CLEARED, place, alert, subject)
    return True


def _update(row: Alert, one: Facts) -> None:
    fields = {"reason_code": one.code, "reason": one.reason, "next_step": one.next_step, "evidence": one.evidence}
    if any(getattr(row, name) != value for name, value in fields.items()):
        Alert.objects.filter(pk=row.pk).update(**fields)


def _raise(wanted: list[tuple[Place, Facts]]) -> None:
    told: dict[str, int] = {}
    for place, one in wanted:
        told[one.kind] = told.get(one.kind, 0) + 1
        _raise_one(place, one, is_told=told[one.kind] <= MOST_TOLD)
    for kind, number in told.items():
        if number > MOST_TOLD:
            place = wanted[0][0]
            label = Kind(kind).label.lower()
            announce(
                Event.DRIFT,
                subject=f"{number - MOST_TOLD} more tags of {place.repository}: {label}.",
                path=addresses.alerts(),
                account=place.account,
                repository=place.repository,
                kind=kind,
            )


def _raise_one(place: Place, one: Facts, *, is_told: bool) -> None:
    with transaction.atomic():
        alert, is_new = Alert.objects.get_or_create(
            repository=place.repository,
            trust_server=place.trust_server,
            account=place.registry_of,
            kind=one.kind,
            tag=one.tag,
            cleared_at=None,
            defaults={
                "reason_code": one.code,
                "reason": one.reason,
                "next_step": one.next_step,
                "evidence": one.evidence,
            },
        )
        if not is_new:
            return  # another worker was faster
        _record("alert_raised", place, alert, reason=one.reason)
        if is_told:
            event = Event.WATCHED if alert.kind == Kind.WATCHED else Event.DRIFT
            for owner in one.evidence.get("watchers", [None]):
                _announce(event, place, alert, one.reason, owner=owner)


def _record(action: str, place: Place, row: Alert, **detail: Any) -> None:
    known = {"alert": row.pk, "kind": row.kind, "code": row.reason_code}
    chain.append(actor=None, action=action, account=place.account, subject=row.subject, detail=known | detail)


def _announce(event: Event, place: Place, alert: Alert, subject: str, owner: int | None = None) -> None:
    """Tell people; `owner` is the one person it concerns, where it is no matter of everybody's."""
    announce(
        event,
        subject=subject,
        path=addresses.alert(alert),
        account=place.account,
        repository=place.repository,
        alert=alert.pk,
        kind=alert.kind,
        tag=alert.tag,
        code=alert.reason_code,
        verdict=place.repository.verdict if place.repository else "",
        next_step=alert.next_step,
        owner=owner,
    )
