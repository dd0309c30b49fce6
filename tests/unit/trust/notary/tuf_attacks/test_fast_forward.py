"""Fast-forward (TUF 1.5.2): an attacker raises version numbers so far that honest updates look old for ever.

Goal met as far as TUF meets it: only a holder of a role's key can raise its version, and rotating that key recovers,
as versions seen under a key that does not count any more are not measured by.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from signing.trust.errors import Rollback, UnmetThreshold
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope
from tests.simulator import GUN, Owner, Simulator, signed_by
from tests.unit.trust.notary.conftest import Reader, digest

FAR = 2**53 - 1


@pytest.mark.parametrize("role", [roles.SNAPSHOT, roles.TIMESTAMP])
def test_nobody_without_the_key_can(role: str, victim: Reader, simulator: Simulator) -> None:
    signed = {**Envelope.parse(simulator.said(GUN, role)).signed, "version": FAR}
    payload = Envelope.build(signed, ()).payload
    stranger = PrivateKey.generate()
    forged = Envelope.build(signed, (stranger.signature(stranger.key_id, payload),))
    simulator.put(GUN, role, forged)
    if role == roles.SNAPSHOT:
        simulator.put_timestamp(GUN)
    with pytest.raises(UnmetThreshold):
        victim.refresh()


@pytest.mark.parametrize("role", [roles.SNAPSHOT, roles.TIMESTAMP])
def test_new_keys_recover(role: str, reader: Reader, owner: Owner, simulator: Simulator) -> None:
    before = simulator.state()
    if role == roles.SNAPSHOT:
        simulator.put_snapshot(GUN, lambda made: replace(made, version=FAR))
    else:
        simulator.put_timestamp(GUN, lambda made: replace(made, version=FAR))
    reader.refresh()
    simulator.restore(before)
    with pytest.raises(Rollback):
        reader.refresh()

    owner.publish({roles.ROOT: owner.rotate(roles.SNAPSHOT)})
    owner.publish({roles.ROOT: owner.rotate(roles.TIMESTAMP)})
    owner.sign("v3", digest("three"), "alice")
    assert reader.refresh(must_reach_server=True).find_released("v3")


def test_a_new_targets_key_recovers(reader: Reader, owner: Owner) -> None:
    far = signed_by(replace(owner.files[roles.TARGETS], version=FAR), owner.targets_key)
    owner.put({roles.TARGETS: far})
    reader.refresh()
    root = owner.rotate(roles.TARGETS)
    owner.put({roles.ROOT: root, roles.TARGETS: owner.next_file(roles.TARGETS)})
    assert reader.refresh().targets.version < FAR
