"""Let go of superseded versions once nobody needs them any more.

A client that read a timestamp asks for the files it leads to by hash, perhaps minutes later, and its copy of a
timestamp is good for two weeks. So versions stay for a while after the next one came. Roots stay for ever: a client
that was away for years follows them one by one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from signing.server.models import MetadataFile
from signing.trust.tuf import roles

DEFAULT_DAYS = 30
FEWEST_DAYS = 1


def prune() -> int:
    """Delete what was superseded longer ago than the setting TRUST_SERVER_KEEP_DAYS says, and count it.

    With 0 everything stays. A complete version stays as long as a delta that stands on it.
    """
    days = getattr(settings, "TRUST_SERVER_KEEP_DAYS", DEFAULT_DAYS)
    if not days:
        return 0
    until = timezone.now() - timedelta(days=max(FEWEST_DAYS, days))
    return sum(_superseded(until).filter(base_version__isnull=is_complete).delete()[0] for is_complete in (False, True))


def _superseded(until: datetime) -> QuerySet[MetadataFile]:
    """Find versions that were not the newest any more at that time, and on which none stands that stays."""
    same_role = MetadataFile.objects.filter(gun=OuterRef("gun"), role=OuterRef("role"))
    successor = same_role.filter(version__gt=OuterRef("version"), created_at__lte=until)
    return MetadataFile.objects.exclude(role=roles.ROOT).filter(
        Exists(successor), ~Exists(same_role.filter(base_version=OuterRef("version")))
    )
