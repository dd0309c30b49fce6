"""Vulnerability to key compromises (TUF 1.5.2): an attacker holds some keys.

Goal met: a key speaks for its own role only, fewer keys than a threshold say nothing, and rotation ends its power.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from signing.trust.errors import NoSuchTarget, TrustError, UnmetThreshold
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import RoleKeys, Target
from tests.simulator import GUN, Owner, Simulator, signed_by
from tests.unit.trust.notary.conftest import Reader, digest

EVIL = {"v1": Target.from_digest("v1", digest("evil"), 500)}


@pytest.mark.parametrize("stolen", [roles.SNAPSHOT, roles.TIMESTAMP, "alice"])
def test_a_stolen_key_of_another_role_signs_no_targets(stolen: str, victim: Reader, owner: Owner) -> None:
    server = owner.simulator.keys[GUN]
    key = owner.signer_keys["alice"] if stolen == "alice" else server.of(stolen)
    owner.put({roles.TARGETS: signed_by(replace(owner.files[roles.TARGETS], version=9, targets=EVIL), key)})
    with pytest.raises(UnmetThreshold):
        victim.refresh()


def test_the_server_alone_cannot_release(victim: Reader, owner: Owner) -> None:
    """Snapshot and timestamp keys are the server's: whoever takes the server can hide, and not invent."""
    server = owner.simulator.keys[GUN]
    forged = replace(owner.files[roles.RELEASES], version=9, targets=EVIL)
    owner.put({roles.RELEASES: signed_by(forged, server.snapshot, server.timestamp)})
    trusted = victim.refresh()
    assert roles.RELEASES in trusted.left_out
    with pytest.raises(NoSuchTarget):
        trusted.find_released("v1")


def test_one_key_of_two_says_nothing(victim: Reader, owner: Owner) -> None:
    file = owner.files[roles.TARGETS]
    strict = tuple(replace(item, threshold=2) if item.name == roles.RELEASES else item for item in file.delegations)
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=strict)})
    forged = replace(owner.files[roles.RELEASES], version=9, targets=EVIL)
    owner.put({roles.RELEASES: signed_by(forged, owner.signer_keys["alice"])})
    assert type(victim.refresh().left_out[roles.RELEASES]) is UnmetThreshold


def test_a_removed_signers_key_counts_no_more(reader: Reader, owner: Owner) -> None:
    stolen = owner.signer_keys.pop("alice")
    file = owner.files[roles.TARGETS]
    kept = tuple(
        replace(item, keyids=tuple(keyid for keyid in item.keyids if keyid != stolen.key_id))
        for item in file.delegations
    )
    owner.publish({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=kept)})
    owner.put({roles.RELEASES: signed_by(replace(owner.files[roles.RELEASES], version=9, targets=EVIL), stolen)})
    trusted = reader.refresh()
    assert type(trusted.left_out[roles.RELEASES]) is UnmetThreshold


@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP])
def test_after_a_rotation_the_stolen_key_counts_no_more(
    role: str, reader: Reader, owner: Owner, simulator: Simulator
) -> None:
    server = simulator.keys[GUN]
    stolen = owner.targets_key if role == roles.TARGETS else server.of(role)
    root = owner.rotate(role)
    owner.put({roles.ROOT: root, roles.TARGETS: owner.next_file(roles.TARGETS)})
    reader.refresh()
    if role == roles.TARGETS:
        owner.put({role: signed_by(replace(owner.files[role], version=99, targets=EVIL), stolen)})
    else:
        setattr(server, role, stolen)
        simulator.put_snapshot(GUN)
    with pytest.raises(TrustError):
        reader.refresh()


def test_a_root_threshold_of_two_needs_two_holders(reader: Reader, owner: Owner) -> None:
    old = (owner.certificate.key_id, owner.root_key)
    owner.rotate_root()
    both = (old[0], owner.certificate.key_id)
    owner.root = replace(owner.root, roles={**owner.root.roles, roles.ROOT: RoleKeys(both, 2)})
    owner.put({roles.ROOT: owner.signed_root(old)})
    reader.refresh(must_reach_server=True)

    owner.root = replace(owner.root, version=owner.root.version + 1)
    owner.put({roles.ROOT: owner.signed_root()})
    with pytest.raises(TrustError):
        reader.refresh(must_reach_server=True)
