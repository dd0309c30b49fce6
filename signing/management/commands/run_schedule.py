"""Run the ticks of `signing.schedule` through the queues."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from signing import schedule


class Command(BaseCommand):
    """Start the scheduler; one per installation."""

    help = "Enqueue what runs by the clock. Run exactly one; without Redis the polling workers do it themselves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal ends it."""
        if settings.TRUSTUI_QUEUE != "rq":
            raise CommandError("There is no Redis (REDIS_URL), so the polling workers keep the time themselves.")
        schedule.scheduler().start()
