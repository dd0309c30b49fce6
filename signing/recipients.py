"""Who should know of a happening. Nobody is told of what they did themselves, unless it failed or needs somebody."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from signing.models import Account, Event, Happening, Membership, User
from signing.roles import LEADS, OVERSEERS, counting

TOLD_TO_THE_ACTOR_TOO = (Event.FAILED, Event.DRIFT, Event.EXPIRING, Event.NEEDS_SIGNATURE)


def recipients(happening: Happening) -> list[User]:
    """List the people who are told of it, each once: only those who may sign in, and no machine."""
    people = User.objects.filter(_wanted(happening), is_active=True, is_machine=False)
    if happening.event not in TOLD_TO_THE_ACTOR_TOO and happening.actor_id:
        people = people.exclude(pk=happening.actor_id)
    return list(people.distinct())


def _wanted(happening: Happening) -> Q:
    request = happening.request
    involved = {happening.detail.get("owner")}  # the person whose key or work it is about
    if request:
        involved.add(request.requested_by_id)
        involved.add(request.signer.user_id if request.signer else None)
    concerned = Q(pk__in=[pk for pk in involved if isinstance(pk, int)])
    if happening.event == Event.NEEDS_SIGNATURE:  # nobody else can give it
        return Q(pk=happening.detail.get("owner"))
    if happening.event == Event.REQUESTED:
        return _deciders(happening)
    if happening.event in (Event.DRIFT, Event.CLEARED, Event.EXPIRING, Event.REVOKED, Event.FROZEN):
        return concerned | _with_role(happening, OVERSEERS) | (Q() if happening.account else Q(is_superuser=True))
    return concerned


def _deciders(happening: Happening) -> Q:
    """The leads; administrators only where no lead is left who could decide."""
    leads = _with_role(happening, LEADS)
    others = User.objects.filter(leads, is_active=True, is_machine=False)
    if happening.actor_id:
        others = others.exclude(pk=happening.actor_id)
    return leads if others.exists() else Q(is_superuser=True)


def _with_role(happening: Happening, roles: Collection[str]) -> Q:
    if happening.account is None:
        return Q(pk__in=())
    rows = _memberships(happening.account).filter(role__in=roles)
    place = Q(repository=None) | Q(repository=happening.repository) if happening.repository else Q(repository=None)
    return Q(pk__in=rows.filter(place).values("user"))


def _memberships(account: Account) -> QuerySet[Membership]:
    return Membership.objects.filter(counting(), account=account)
