"""What happened to a repository's trust data, as the signing worker told it from its versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from signing.models import HistoryEntry, Repository, Signer


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which entries are asked for; empty members ask for nothing in particular."""

    tag: str = ""
    kind: str = ""
    person: str = ""
    since: str = ""
    until: str = ""

    def apply(self, rows: QuerySet[HistoryEntry], people: dict[str, str]) -> QuerySet[HistoryEntry]:
        """Narrow entries to these; `people` names the person behind each key."""
        if self.tag:
            rows = rows.filter(tag__icontains=self.tag)
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.person:
            wanted = self.person.lower()
            keys = [key_id for key_id, name in people.items() if wanted in name.lower()]
            by_key = Q()
            for key_id in keys:
                by_key |= Q(detail__icontains=key_id)  # a list inside JSON: the same on both databases
            rows = rows.filter(Q(detail__signer__icontains=self.person) | by_key)
        if self.since:
            rows = rows.filter(at__date__gte=self.since)
        if self.until:
            rows = rows.filter(at__date__lte=self.until)
        return rows


def history_of(repository: Repository, tag: str = "") -> QuerySet[HistoryEntry]:
    """List what happened to a repository, or to one of its tags, newest first."""
    rows = repository.history.all()
    return (rows.filter(tag=tag) if tag else rows).order_by("-at", "-version", "-pk")


def people_of_keys(repository: Repository) -> dict[str, str]:
    """Name the person or machine behind each signer's key of the repository's account, by canonical key id."""
    rows = Signer.objects.filter(account=repository.account_id).select_related("key", "user")
    return {row.key.key_id: str(row.user) if row.user else f"{row.name} (a machine)" for row in rows}


def names_of(key_ids: Iterable[str], people: dict[str, str]) -> list[str]:
    """Name the people behind some keys, each once."""
    return list(dict.fromkeys(people[key_id] for key_id in key_ids if key_id in people))
