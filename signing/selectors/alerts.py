"""Alerts of what a person may see, and the keys they watch."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from signing.models import Account, Alert, Repository, User, WatchedKey
from signing.selectors.reach import Reach


def visible_alerts(user: User) -> QuerySet[Alert]:
    """List alerts, newest first: of repositories, of registries and trust servers that the person's accounts use."""
    reach = Reach(user)
    accounts = Account.objects.filter(reach.accounts())
    of_repositories = Q(repository__in=Repository.objects.filter(reach.repositories()).values("pk"))
    of_servers = Q(repository=None, trust_server__in=accounts.values("trust_server"))
    of_registries = Q(repository=None, account__in=accounts.values("pk"))
    rows = Alert.objects.filter(of_repositories | of_servers | of_registries)
    return rows.select_related("repository__account", "trust_server", "account").order_by("-raised_at", "-pk")


def open_alerts(user: User) -> QuerySet[Alert]:
    """List those whose cause is still there."""
    return visible_alerts(user).filter(cleared_at=None)


def alerts_of(repository: Repository, tag: str = "") -> QuerySet[Alert]:
    """List the open alerts of one repository, or of one of its tags, newest first."""
    rows = repository.alerts.filter(cleared_at=None)
    return (rows.filter(tag=tag) if tag else rows).order_by("-raised_at", "-pk")


def watched_keys(user: User) -> QuerySet[WatchedKey]:
    """List the keys whose signatures the person wants to hear of."""
    return WatchedKey.objects.filter(user=user)
