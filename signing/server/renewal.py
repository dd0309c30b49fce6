"""Sign timestamps and snapshots anew ahead of their time, whether anybody publishes or reads or not."""

from __future__ import annotations

import logging
from datetime import datetime

from cryptography.exceptions import InvalidTag
from django.db.models import Q
from django.utils import timezone

from signing.server import storage
from signing.server.models import Collection, MetadataFile
from signing.trust.errors import TrustError
from signing.trust.tuf import roles

log = logging.getLogger(__name__)

_UNKNOWN = Q(renew_at=None)  # brought in from elsewhere


def renew_due() -> int:
    """Renew what is due in all repositories and count those that got new files.

    One that cannot be renewed, as its root is expired, holds up no other: it is tried again the next time.
    """
    due = Collection.objects.filter(Q(renew_at__lte=timezone.now()) | _UNKNOWN)
    return sum(_renewed(gun, state) for gun, state in list(due.order_by("pk").values_list("gun", "state")))


def _renewed(gun: str, state: int) -> bool:
    try:
        is_renewed = storage.renew(gun)
    except (TrustError, InvalidTag) as error:
        log.warning("%s cannot be renewed: %s", gun, error)
        return False
    if not is_renewed:
        Collection.objects.filter(_UNKNOWN, gun=gun, state=state).update(renew_at=_renewal(gun))
    return is_renewed


def _renewal(gun: str) -> datetime | None:
    """Tell when the first of the server's own files of a GUN has to be renewed."""
    moments = [
        MetadataFile.objects.filter(gun=gun, role=role).order_by("-version").values_list("renew_at", flat=True).first()
        for role in (roles.SNAPSHOT, roles.TIMESTAMP)
    ]
    return min((moment for moment in moments if moment is not None), default=None)
