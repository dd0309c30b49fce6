"""What the docker worker last saw of its Engine."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from signing.models import EngineStatus

STALE_AFTER = timedelta(minutes=5)  # several ticks: the docker worker itself is off then


def engine_status() -> EngineStatus:
    """Tell what is known; a status nobody has renewed for a while counts as off. Nothing is written here."""
    status = EngineStatus.objects.order_by("pk").first()
    if status is None:
        return EngineStatus(is_available=False, reason="The docker worker has not reported yet.")
    if status.is_available and timezone.now() - status.checked_at > STALE_AFTER:
        status.is_available = False
        status.reason = f"The docker worker has not reported since {status.checked_at:%Y-%m-%d %H:%M} UTC."
    return status
