"""Wrong software installation (TUF 1.5.2): a client gets a true file that is not the one it asked for.

Goal met: a name has one digest, that of `targets/releases` before that of `targets`; a signature is for one GUN.
"""

from __future__ import annotations

import pytest

from signing.trust.errors import NoSuchTarget, UntrustedRoot
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest


def test_each_tag_has_its_own_digest(victim: Reader) -> None:
    trusted = victim.refresh()
    found = {tag: trusted.find_released(tag).digest_hex for tag in ("v0", "v1", "v2")}
    assert found == {"v0": digest("zero"), "v1": digest("one"), "v2": digest("two")}


def test_a_digest_is_of_the_tag_that_pulling_means(victim: Reader, owner: Owner) -> None:
    """An old digest of a tag in `targets` does not answer once releases has another."""
    owner.sign("v1", digest("older"))
    trusted = victim.refresh()
    assert trusted.find_released("v1").digest_hex == digest("one")
    with pytest.raises(NoSuchTarget):
        trusted.find_digest(digest("older"))


def test_another_repositorys_signatures_do_not_count(victim: Reader, simulator: Simulator) -> None:
    other = Owner(simulator, victim.now, gun="registry.example/team/other").initialise()
    other.sign("v1", digest("other"))
    simulator.files[GUN], simulator.current[GUN] = simulator.files[other.gun], simulator.current[other.gun]
    with pytest.raises(UntrustedRoot):
        victim.refresh()
