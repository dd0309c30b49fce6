"""Count how often in a row a server did not answer, and tell people of the third time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q

from signing.jobs.alarms import Facts, Place, settle
from signing.models import Account, Alert, TrustServer
from signing.trust.errors import TrustError

FAILURES_TOLD = 3
_ONCE_IN = timedelta(seconds=30)
"""Several workers may meet the same silence in one round; it counts once."""


def trust_server_answered(server: TrustServer) -> None:
    """Note that it answered; an alert of it clears."""
    if TrustServer.objects.filter(pk=server.pk, failures__gt=0).update(failures=0, failed_at=None):
        settle(Place(trust_server=server), [], [Alert.Kind.UNREACHABLE])


def trust_server_was_silent(server: TrustServer, error: TrustError, now: datetime) -> None:
    """Count one silence."""
    row = TrustServer.objects.filter(Q(failed_at=None) | Q(failed_at__lt=now - _ONCE_IN), pk=server.pk)
    if not row.update(failures=F("failures") + 1, failed_at=now):
        return
    failures = TrustServer.objects.values_list("failures", flat=True).get(pk=server.pk)
    if failures >= FAILURES_TOLD:
        reason = f"The trust server {server.name} does not answer: {error.message}"
        settle(Place(trust_server=server), [_facts(error, reason, failures)], [])


def registry_answered(account: Account) -> None:
    """Note that an account's registry answered; an alert of it clears."""
    row = Account.objects.filter(pk=account.pk, registry_failures__gt=0)
    if row.update(registry_failures=0, registry_failed_at=None):
        settle(Place(registry_of=account), [], [Alert.Kind.UNREACHABLE])


def registry_was_silent(account: Account, error: TrustError, now: datetime) -> None:
    """Count one silence of an account's registry."""
    is_new = Q(registry_failed_at=None) | Q(registry_failed_at__lt=now - _ONCE_IN)
    row = Account.objects.filter(is_new, pk=account.pk)
    if not row.update(registry_failures=F("registry_failures") + 1, registry_failed_at=now):
        return
    failures = Account.objects.values_list("registry_failures", flat=True).get(pk=account.pk)
    if failures >= FAILURES_TOLD:
        reason = f"The registry {account.registry} of the account {account.name} does not answer: {error.message}"
        settle(Place(registry_of=account), [_facts(error, reason, failures)], [])


def _facts(error: TrustError, reason: str, failures: int) -> Facts:
    """The count is no evidence: it would make another alert of it each time."""
    return Facts(Alert.Kind.UNREACHABLE, error.code, reason, error.next_step, evidence={"after": FAILURES_TOLD})
