"""Slow retrieval (TUF 1.5.2): a server answers so slowly that a client waits for ever.

Goal met: a refresh ends within 30 seconds in all, however the bytes drip and over however many files.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import pytest

from signing.trust.errors import ServerUnreachable
from signing.trust.notary import client, deadline
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import HttpsTransport
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.notary.hostile import NOT_FOUND, read_in_a_process, said, serving

pytestmark = pytest.mark.loopback

LONGEST = 0.5


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deadline.LONGEST == 30
    monkeypatch.setattr(deadline, "LONGEST", LONGEST)
    client.resident.clear()


def dripping(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for byte in b"".join(pieces):
        time.sleep(0.01)
        yield bytes([byte])


def silent(_: Iterable[bytes]) -> Iterator[bytes]:
    time.sleep(3)
    yield b""


def truth(simulator: Simulator, name: str) -> list[bytes]:
    data = simulator.get(GUN, name)
    return said(NOT_FOUND, "404 Not Found") if data is None else said(data)


@pytest.mark.parametrize("drip", [dripping, silent])
@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets."])
def test_one_file_that_drips(role: str, drip: object, owner: Owner, simulator: Simulator, clock: Clock) -> None:
    def answer(name: str) -> Iterable[bytes]:
        pieces = truth(simulator, name)
        return drip(pieces) if name.startswith(role) else pieces  # type: ignore[operator]

    begun = time.monotonic()
    with serving(answer) as url, HttpsTransport(url, timeout=LONGEST) as transport:
        with pytest.raises(ServerUnreachable):
            refresh(Gun(GUN), transport, MemoryCache(), now=clock)
        assert time.monotonic() - begun < 2


def test_many_files_each_of_them_in_time(owner: Owner, simulator: Simulator, clock: Clock) -> None:
    """Each file alone takes less than a request may; together they take more than a refresh may."""
    for number in range(8):
        owner.add_signer(f"signer{number}")
        owner.sign("v9", "99" * 32, f"signer{number}")

    def answer(name: str) -> Iterator[bytes]:
        time.sleep(0.15)
        yield from truth(simulator, name)

    begun = time.monotonic()
    with serving(answer) as url, HttpsTransport(url) as transport:
        with pytest.raises(ServerUnreachable, match="seconds"):
            refresh(Gun(GUN), transport, MemoryCache(), now=clock)
        assert time.monotonic() - begun < 3


def test_a_process_comes_back(owner: Owner, simulator: Simulator) -> None:
    with serving(lambda name: dripping(truth(simulator, name))) as url:
        outcome = read_in_a_process(url, GUN, owner.now(), longest=0.5)
    assert outcome["error"] == "server_unreachable"
    assert outcome["seconds"] < 3
