"""Seal the trust server's own keys under a new master key."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from signing.server.online_keys import reseal


class Command(BaseCommand):
    """Run once between two changes of settings; the servers may go on meanwhile."""

    help = (
        "Seal the trust server's own keys under TRUST_SERVER_MASTER_KEY instead of TRUST_SERVER_PREVIOUS_MASTER_KEY. "
        "Restart the servers with both set, run this, then remove the previous one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Reseal and say how many there were."""
        previous = settings.TRUST_SERVER_PREVIOUS_MASTER_KEY
        if not previous:
            raise CommandError("TRUST_SERVER_PREVIOUS_MASTER_KEY is not set, so no key could be opened.")
        try:
            count = reseal(previous)
        except InvalidTag:
            raise CommandError(
                "A key opens under neither of the two master keys. Keys resealed so far stay as they are now; "
                "set the previous master key right and run this again."
            ) from None
        self.stdout.write(f"{count} keys are sealed under the new master key.")
