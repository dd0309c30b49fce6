"""Rollback (TUF 1.5.2): a client that saw newer data is shown older data.

Goal met: no file below a version seen before counts, and none of the same version with other bytes. Somebody who saw
nothing is protected for as long as timestamps hold, not more: nobody can be.
"""

from __future__ import annotations

import pytest

from signing.trust.errors import Rollback
from tests.simulator import Owner, Simulator
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
