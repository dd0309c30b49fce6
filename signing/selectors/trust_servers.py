"""Trust servers a person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import TrustServer, User


def visible_trust_servers(user: User) -> QuerySet[TrustServer]:
    """List the trust servers of the person's accounts; all of them for an administrator. No password goes along."""
    servers = TrustServer.objects.defer("password")
    if not user.is_superuser:
        servers = servers.filter(accounts__memberships__user=user).distinct()
    return servers.order_by("name")
