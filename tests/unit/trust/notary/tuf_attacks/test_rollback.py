"""Rollback (TUF 1.5.2): a client that saw newer data is shown older data.

Goal met: no file below a version seen before counts, and none of the same version with other bytes. Somebody who saw
nothing is protected for as long as timestamps hold, not more: nobody can be.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing.trust.errors import ExpiredMetadata, Rollback
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Timestamp
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_whole_older_state(steps: int, reader: Reader, owner: Owner, simulator: Simulator) -> None:
    states = []
    for step in range(steps):
        states.append(simulator.state())
        owner.sign(f"fix{step}", digest(f"fix{step}"), "alice")
    newest = simulator.state()
    reader.refresh()
    for state in states:
        simulator.restore(state)
        with pytest.raises(Rollback):
            reader.refresh()
    simulator.restore(newest)
    assert reader.refresh().find_released("fix0")


def test_a_revoked_tag_does_not_come_back(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    before = simulator.state()
    for role in ("targets/releases", "targets/alice", "targets/bob"):
        targets = dict(owner.files[role].targets)
        targets.pop("v1", None)
        owner.publish({role: owner.next_file(role, targets=targets)})
    reader.refresh()
    simulator.restore(before)
    with pytest.raises(Rollback):
        reader.refresh()


def test_a_newcomer_believes_an_older_state_for_its_timestamps_time_only(
    newcomer: Reader, owner: Owner, simulator: Simulator, clock: Clock
) -> None:
    shown = simulator.said(GUN, roles.TIMESTAMP)
    owner.sign("fix", digest("fix"), "alice")
    simulator.lies["timestamp.json"] = shown
    clock.now = Timestamp.from_envelope(Envelope.parse(shown)).expires + timedelta(microseconds=1)
    with pytest.raises(ExpiredMetadata):
        newcomer.refresh()
