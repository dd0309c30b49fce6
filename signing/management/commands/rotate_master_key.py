"""Bring the sealed keys under the master key in use."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signing import chain
from signing.adapters import envelopes, master_keys
from signing.models import Key
from signing.trust.errors import TrustError


class Command(BaseCommand):
    """Safe to interrupt and to run again: what is done already is passed over; workers may go on meanwhile."""

    help = (
        "Bring every sealed key under MASTER_KEY, with the settings of the signing worker. Restart the workers with the"
        " new MASTER_KEY and the one before in PREVIOUS_MASTER_KEYS, run this, then remove the previous one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Wrap one row after the other, each in a transaction of its own, and say how many there were."""
        done, broken = 0, []
        for row in Key.objects.filter(custody=Key.Custody.SEALED).select_related("account").order_by("pk").iterator():
            try:
                done += envelopes.rewrap(row)
            except TrustError as error:
                broken.append(f"{row}: {error.message}")
        if done:
            self._record(done, len(broken))
        self.stdout.write(f"{done} keys are under the master key {master_keys.current()[0].hex()} now.")
        if broken:
            raise CommandError("\n".join([f"{len(broken)} keys stay as they are:", *broken]))

    def _record(self, done: int, broken: int) -> None:
        left = Counter(
            envelopes.Envelope.parse(bytes(envelope)).master_id.hex() or "version 1"
            for envelope in Key.objects.filter(custody=Key.Custody.SEALED).values_list("envelope", flat=True)
        )
        chain.append(
            actor=None,
            action="rotate_master_key",
            account=None,
            subject=master_keys.current()[0].hex(),
            detail={"rewrapped": done, "broken": broken, "keys": dict(sorted(left.items()))},
        )
