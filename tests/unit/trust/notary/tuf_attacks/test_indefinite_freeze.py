"""Indefinite freeze (TUF 1.5.2): a client is shown the same old state for ever.

Goal met: a timestamp holds for its 14 days and not a moment longer, whether the server repeats it or falls silent.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing.trust.errors import ExpiredMetadata, ServerUnreachable
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Timestamp
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest


def test_the_same_timestamp_again_and_again(victim: Reader, owner: Owner, simulator: Simulator, clock: Clock) -> None:
    shown = simulator.said(GUN, roles.TIMESTAMP)
    simulator.lies["timestamp.json"] = shown
    owner.sign("v3", digest("a fix"), "alice")

    clock.now = Timestamp.from_envelope(Envelope.parse(shown)).expires
    victim.refresh()
    clock.now += timedelta(microseconds=1)
    with pytest.raises(ExpiredMetadata, match="timestamp"):
        victim.refresh()


def test_silence(reader: Reader, simulator: Simulator, clock: Clock) -> None:
    held_until = reader.refresh().timestamp.expires
    simulator.fault = ServerUnreachable("no answer")
    clock.now = held_until
    assert reader.refresh().is_stale, "and it says so"
    clock.now += timedelta(microseconds=1)
    with pytest.raises(ServerUnreachable):
        reader.refresh()
