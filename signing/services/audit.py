"""The record of who did what. Every other service writes exactly one event through it."""

from __future__ import annotations

from structlog.contextvars import get_contextvars

from signing import chain
from signing.models import Account, AuditEvent, User


def record(
    actor: User | None, action: str, *, account: Account | None, subject: object, reason: str = "", **detail: object
) -> AuditEvent:
    """Add one event, in the transaction of the act it tells of.

    `detail` holds plain JSON values and never a secret; what changed goes into `before` and `after`.
    """
    return chain.append(
        actor=actor,
        action=action,
        account=account,
        subject=str(subject),
        reason=reason,
        detail=detail,
        correlation=str(get_contextvars().get("request_id", "")),
    )
