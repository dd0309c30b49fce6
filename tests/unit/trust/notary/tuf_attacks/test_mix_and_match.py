"""Mix-and-match (TUF 1.5.2): files that were never current together are shown together.

Goal met: the timestamp names one snapshot and that one file for every role, all by hash.
"""

from __future__ import annotations

import itertools

import pytest

from signing.trust.errors import MetadataError
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import FileMeta
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest

BELOW = (roles.TARGETS, roles.SNAPSHOT, roles.RELEASES, "targets/alice")


@pytest.mark.parametrize(
    "old_roles", [chosen for count in (1, 2, 3) for chosen in itertools.combinations(BELOW, count)], ids="+".join
)
def test_some_files_of_another_day(
    old_roles: tuple[str, ...], victim: Reader, owner: Owner, simulator: Simulator
) -> None:
    old = {role: simulator.said(GUN, role) for role in BELOW}
    owner.add_signer("carol")
    owner.sign("v1", digest("a fix"), "alice")
    for role in old_roles:
        promised = FileMeta.of(simulator.said(GUN, role)).sha256
        simulator.lies[f"{role}.{promised}.json"] = old[role]
    with pytest.raises(MetadataError):
        victim.refresh()


def test_files_of_another_repository(victim: Reader, simulator: Simulator) -> None:
    """Even where the same people sign both."""
    other = Owner(simulator, victim.now, gun="registry.example/team/other").initialise()
    simulator.files[GUN] = dict(simulator.files[other.gun])
    simulator.current[GUN] = dict(simulator.current[other.gun])
    with pytest.raises(MetadataError, match=r"for 'registry\.example/team/other'|was replaced"):
        victim.refresh()
