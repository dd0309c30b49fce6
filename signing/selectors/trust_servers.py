"""Trust servers a person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.models import Account, TrustServer, User
from signing.permissions import may
from signing.selectors.reach import Reach


def visible_trust_servers(user: User) -> QuerySet[TrustServer]:
    """List the trust servers of the person's accounts; all for who reads everything. No password goes along."""
    servers = TrustServer.objects.defer("password").order_by("name")
    if may(user, "read_trust_servers"):
        return servers
    return servers.filter(pk__in=Account.objects.filter(Reach(user).accounts()).values("trust_server"))
