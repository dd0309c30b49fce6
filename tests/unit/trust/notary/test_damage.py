"""Whatever is damaged, a client shows the truth or refuses by name; it never shows something else."""

from __future__ import annotations

import functools

from hypothesis import given
from hypothesis import strategies as st

from signing.trust.errors import TrustError
from signing.trust.notary import client
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.tuf.metadata import Envelope
from tests.simulator import Clock, Simulator
from tests.unit.trust.samples import GUN, ROLE_FILES, metadata

ROLES = sorted(ROLE_FILES)


@functools.cache
def honest() -> Simulator:
    simulator = Simulator()
    for role in ROLE_FILES:
        simulator.put(GUN, role, Envelope.parse(metadata(role)))
    return simulator


@functools.cache
def truth() -> list[object]:
    return list(refresh(Gun(GUN), honest(), MemoryCache(), now=Clock()).released())


def told(role: str, data: bytes, cache: MemoryCache) -> None:
    """Refresh, in a process that knows nothing, from a server that tells `data` for every name of one role."""
    client.resident.clear()
    simulator = Simulator()
    simulator.current, simulator.files = honest().current, honest().files
    simulator.lies = {name: data for name, said in honest().files[GUN].items() if said == honest().said(GUN, role)}
    try:
        trusted = refresh(Gun(GUN), simulator, cache, now=Clock())
    except TrustError:
        return
    assert list(trusted.released()) == truth()


@given(st.sampled_from(ROLES), st.integers(0, 4000), st.integers(1, 255), st.booleans())
def test_a_changed_byte(role: str, position: int, difference: int, is_known: bool) -> None:
    data = bytearray(metadata(role))
    data[position % len(data)] ^= difference
    cache = MemoryCache({name: metadata(name) for name in ROLES} if is_known else {})
    told(role, bytes(data), cache)


@given(st.sampled_from(ROLES), st.sampled_from(ROLES))
def test_one_file_in_place_of_another(role: str, other: str) -> None:
    told(role, metadata(other), MemoryCache())


@given(st.sampled_from(ROLES), st.integers(0, 4000), st.integers(0, 4000))
def test_a_missing_piece(role: str, start: int, length: int) -> None:
    data = metadata(role)
    told(role, data[:start] + data[start + length :], MemoryCache())


@given(st.sampled_from(ROLES), st.binary(max_size=200))
def test_any_other_bytes(role: str, data: bytes) -> None:
    told(role, data, MemoryCache())


@given(st.sampled_from(ROLES), st.integers(0, 4000), st.integers(1, 255))
def test_a_damaged_memory(role: str, position: int, difference: int) -> None:
    data = bytearray(metadata(role))
    data[position % len(data)] ^= difference
    told("root", metadata("root"), MemoryCache({**{name: metadata(name) for name in ROLES}, role: bytes(data)}))
