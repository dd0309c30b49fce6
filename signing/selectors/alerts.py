"""Alerts of what a person may see, and the keys they watch."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from signing.models import Account, Alert, Repository, User, WatchedKey
from signing.selectors.keys import visible_keys
from signing.selectors.reach import Reach


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are asked for; `state` is open, cleared, or empty for both."""

    search: str = ""
    kind: str = ""
    account: str = ""
    state: str = "open"

    def apply(self, rows: QuerySet[Alert]) -> QuerySet[Alert]:
        """Narrow alerts to these."""
        if self.search:
            in_name = Q(repository__gun__icontains=self.search) | Q(tag__icontains=self.search)
            rows = rows.filter(in_name | Q(reason__icontains=self.search))
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.account:
            rows = rows.filter(Q(repository__account__name=self.account) | Q(account__name=self.account))
        if self.state:
            rows = rows.filter(cleared_at__isnull=self.state == "open")
        return rows


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


def names_of_keys(user: User, key_ids: list[str]) -> dict[str, str]:
    """Name those of the keys that the person sees here."""
    rows = visible_keys(user).filter(key_id__in=key_ids).values_list("key_id", "name", "account__name")
    return {key_id: f"{name} · {account}" for key_id, name, account in rows}
