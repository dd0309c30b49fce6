"""A small world: a clock, a trust server, an owner who published, and a reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.pinning import TOFU, Pinning
from tests.simulator import GUN, Clock, Owner, Simulator


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Reader:
    """A client with its own memory."""

    simulator: Simulator
    now: Callable[[], datetime]
    cache: MemoryCache = field(default_factory=MemoryCache)

    def refresh(self, *, pinning: Pinning = TOFU, must_reach_server: bool = False) -> TrustedRepository:
        return refresh(
            Gun(GUN),
            self.simulator,
            self.cache,
            pinning=pinning,
            now=self.now,
            must_reach_server=must_reach_server,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Simulator:
    return Simulator(clock)


@pytest.fixture
def owner(simulator: Simulator, clock: Clock) -> Owner:
    """Signers alice and bob; v1 by both, v2 by alice, v0 by the repository key."""
    owner = Owner(simulator, clock).initialise()
    owner.sign("v0", digest("zero"))
    owner.add_signer("alice")
    owner.add_signer("bob")
    owner.sign("v1", digest("one"), "alice", "bob")
    owner.sign("v2", digest("two"), "alice")
    return owner


@pytest.fixture
def reader(simulator: Simulator, clock: Clock, owner: Owner) -> Reader:
    """Somebody who has read the owner's repository before, nothing more."""
    reader = Reader(simulator, clock)
    reader.refresh()
    simulator.asked.clear()
    return reader


@pytest.fixture
def newcomer(simulator: Simulator, clock: Clock, owner: Owner) -> Reader:
    simulator.asked.clear()
    return Reader(simulator, clock)


@pytest.fixture(params=["cold", "with a cache"])
def victim(request: pytest.FixtureRequest, newcomer: Reader) -> Reader:
    """Who is lied to; honest data is read before where the parameter says so."""
    if request.param == "with a cache":
        newcomer.refresh()
    newcomer.simulator.asked.clear()
    return newcomer
