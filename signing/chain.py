"""Append to the audit log. Both sides write through this; nothing else makes an `AuditEvent`.

The newest event is locked while the next one is made, so that two writers never name the same one before. An event is
written in the transaction of the act it tells of: where it cannot be written, the act is undone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from signing.models import Account, AuditEvent, AuditLock, User
from signing.trust.evidence.audit_log import GENESIS, entry_hash


def append(
    *,
    actor: User | None,
    action: str,
    account: Account | None,
    subject: str,
    detail: dict[str, Any],
    reason: str = "",
    correlation: str = "",
) -> AuditEvent:
    """Add one event at the end of the chain; `actor` None is the product itself.

    `detail` holds plain JSON values (text, whole numbers, lists, mappings) and never a secret.
    """
    with transaction.atomic():
        AuditLock.objects.select_for_update().get_or_create(pk=1)
        last = AuditEvent.objects.order_by("-number").values_list("number", "event_hash").first()
        number, previous = last or (0, GENESIS)
        event = AuditEvent(
            number=number + 1,
            at=timezone.now(),
            actor=actor,
            actor_name=actor.username if actor else "",
            action=action,
            account=account,
            account_name=account.name if account else "",
            subject=subject[:300],
            reason=reason[:500],
            detail=detail,
            correlation=correlation[:64],
            previous_hash=previous,
        )
        event.event_hash = entry_hash(entry_of(event))
        event.save(force_insert=True)
        return event


def entry_of(event: AuditEvent) -> dict[str, Any]:
    """Put an event into the form that is hashed and exported (`signing.trust.evidence.audit_log`)."""
    return {
        "number": event.number,
        "at": stamp(event.at),
        "actor": event.actor_name,
        "action": event.action,
        "account": event.account_name,
        "subject": event.subject,
        "reason": event.reason,
        "detail": event.detail,
        "correlation": event.correlation,
        "previous_hash": event.previous_hash,
    }


def stamp(moment: datetime) -> str:
    """Write a time as the chain has it: RFC 3339, UTC, six digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
