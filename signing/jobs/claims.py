"""Share due work among workers: who claims rows has them alone, and a worker that dies only delays them once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q

from signing.models import Repository


def due(field: str, now: datetime) -> Q:
    """Say which repositories have come due, by the column that says when they do."""
    return Q(**{field: None}) | Q(**{f"{field}__lte": now})


def claim(field: str, wanted: Q, now: datetime, again: timedelta, most: int) -> list[Repository]:
    """Take the repositories that have waited longest, and put off their next turn in the same step."""
    with transaction.atomic():
        rows = Repository.objects.filter(wanted & due(field, now)).order_by(F(field).asc(nulls_first=True), "pk")
        if connection.features.has_select_for_update_skip_locked:
            rows = rows.select_for_update(skip_locked=True)
        taken = list(rows.values_list("pk", flat=True)[:most])
        Repository.objects.filter(pk__in=taken).update(**{field: now + again})
    found = Repository.objects.select_related("account__trust_server").filter(pk__in=taken)
    order = {pk: place for place, pk in enumerate(taken)}
    return sorted(found, key=lambda row: order[row.pk])
