"""What happened, for those who may read it."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from signing.models import AuditEvent, Membership, User


def visible_events(user: User) -> QuerySet[AuditEvent]:
    """List every event of the accounts the person leads or audits, and what the person did anywhere."""
    events = AuditEvent.objects.select_related("actor", "account")
    if not user.is_superuser:
        read = Membership.objects.filter(user=user, role__in=(Membership.Role.LEAD, Membership.Role.AUDITOR))
        events = events.filter(Q(account__in=read.values("account")) | Q(actor=user))
    return events.order_by("-number")
