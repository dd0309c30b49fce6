"""The record of who did what. Every other service writes exactly one event through it."""

from __future__ import annotations

from signing.models import Account, AuditEvent, User


def record(actor: User, action: str, *, account: Account | None, subject: object, **detail: object) -> AuditEvent:
    """Add one event; `detail` holds plain JSON values and never a secret."""
    return AuditEvent.objects.create(
        actor=actor, action=action, account=account, subject=str(subject)[:300], detail=detail
    )
