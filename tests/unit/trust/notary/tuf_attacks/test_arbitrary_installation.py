"""Arbitrary software installation (TUF 1.5.2): an attacker provides files of their own.

Goal met: no tag counts without valid signatures of enough of its role's keys; no digest but the signed one is given.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from signing.trust.errors import NoSuchTarget, UnmetThreshold
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Target
from tests.simulator import Owner, signed_by
from tests.unit.trust.notary.conftest import Reader, digest

EVIL = Target.from_digest("v1", digest("evil"), 500)


def test_a_tag_by_a_stranger_in_targets_ends_the_reading(victim: Reader, owner: Owner) -> None:
    forged = replace(owner.files[roles.TARGETS], version=9, targets={"v1": EVIL})
    owner.put({roles.TARGETS: signed_by(forged, PrivateKey.generate())})
    with pytest.raises(UnmetThreshold):
        victim.refresh()


def test_a_tag_by_a_stranger_in_releases_does_not_count(victim: Reader, owner: Owner) -> None:
    forged = replace(owner.files[roles.RELEASES], version=9, targets={"v1": EVIL})
    owner.put({roles.RELEASES: signed_by(forged, PrivateKey.generate())})
    trusted = victim.refresh()
    assert type(trusted.left_out[roles.RELEASES]) is UnmetThreshold
    with pytest.raises(NoSuchTarget):
        trusted.find_released("v1")


def test_a_tag_by_a_signer_alone_is_not_released(victim: Reader, owner: Owner) -> None:
    owner.add_target("targets/alice", "v9", digest("evil"))
    owner.publish({"targets/alice": owner.next_file("targets/alice")})
    with pytest.raises(NoSuchTarget, match="alice signed it, but it was not released"):
        victim.refresh().find_released("v9")
