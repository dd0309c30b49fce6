"""Malicious mirrors preventing updates (TUF 1.5.2): one server of several keeps a client from the truth.

Notary has one server per repository and no mirrors. Its equivalent is a proxy or a copy that answers wrongly; goal met:
what it does has a name, nothing it said is remembered, and once the true server answers, everything is there.
"""

from __future__ import annotations

import pytest

from signing.trust.errors import BadResponse, HashMismatch, MetadataError, TrustError
from signing.trust.tuf import roles
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest


@pytest.mark.parametrize("role", [roles.SNAPSHOT, roles.RELEASES])
@pytest.mark.parametrize("lie", [None, b"", b"<html>", b"{}"])
def test_a_lie_prevents_an_update_only_while_it_lasts(
    lie: bytes | None, role: str, victim: Reader, owner: Owner, simulator: Simulator
) -> None:
    owner.sign("v3", digest("three"), "alice")
    (name,) = [
        name for name, data in simulator.files[GUN].items() if data == simulator.said(GUN, role) and len(name) > 64
    ]
    simulator.lies[name] = lie
    with pytest.raises((MetadataError, BadResponse)):
        victim.refresh()
    simulator.lies.clear()
    assert victim.refresh().find_released("v3").digest_hex == digest("three")


def test_a_hotels_page_is_not_silence(victim: Reader, simulator: Simulator) -> None:
    simulator.fault = BadResponse("a page to sign in")
    with pytest.raises(TrustError):
        victim.refresh()


def test_bytes_changed_on_the_way_hide_no_delegation(victim: Reader, owner: Owner, simulator: Simulator) -> None:
    """Left out is what its key holders spoiled. What anybody could spoil ends the reading instead."""
    owner.sign("v1", digest("a fix"), "alice")
    truth = simulator.said(GUN, roles.RELEASES)
    (name,) = [name for name, data in simulator.files[GUN].items() if data == truth and len(name) > 64]
    simulator.lies[name] = truth.replace(b"v1", b"v9")
    with pytest.raises(HashMismatch):
        victim.refresh()
