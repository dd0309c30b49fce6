"""Attacks by the answer itself, over real sockets: on somebody who knows nothing and on somebody who has read before.

The server is honest but for one file: the timestamp, which everybody asks for, or one that its hash promises.
"""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pytest

from signing.trust.errors import BadResponse, LengthMismatch, MalformedMetadata, ServerUnreachable, TooLarge, TrustError
from signing.trust.notary import client, deadline
from signing.trust.notary.client import LARGEST_TIMESTAMP, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import HttpsTransport
from signing.trust.tuf import roles
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.notary.hostile import NOT_FOUND, said, serving

pytestmark = pytest.mark.loopback

BOMB = gzip.compress(bytes(64 * 1024 * 1024))
TOO_MUCH = (TooLarge, LengthMismatch, BadResponse)


def endless(_: bytes) -> Iterable[bytes]:
    return itertools.chain([b"HTTP/1.1 200 OK\r\n\r\n{"], itertools.repeat(b" " * 65536))


def dripping(body: bytes) -> Iterator[bytes]:
    for byte in b"".join(said(body)):
        time.sleep(0.02)
        yield bytes([byte])


def padded(body: bytes) -> Iterable[bytes]:
    return said(body + b" " * LARGEST_TIMESTAMP)


def compressed(body: bytes, *, admitted: bool) -> Iterable[bytes]:
    return said(gzip.compress(body), "200 OK", *(["Content-Encoding: gzip"] if admitted else []))


def redirect(_: bytes, *, status: str, to: str) -> Iterable[bytes]:
    return said(b"", status, f"Location: {to}")


ATTACKS: dict[str, tuple[Callable[[bytes], Iterable[bytes]], tuple[type[TrustError], ...]]] = {
    "an endless body": (endless, TOO_MUCH),
    "a padded body": (padded, TOO_MUCH),
    "a body that drips": (dripping, (ServerUnreachable,)),
    "a compressed body": (partial(compressed, admitted=True), (BadResponse,)),
    "a compressed body that does not say so": (
        partial(compressed, admitted=False),
        (BadResponse, LengthMismatch, MalformedMetadata),
    ),
    "a body that becomes huge": (lambda _: said(BOMB, "200 OK", "Content-Encoding: gzip"), TOO_MUCH),
    "a redirect to a file": (partial(redirect, status="302 Found", to="file:///etc/passwd"), (BadResponse,)),
    "a redirect to a socket": (
        partial(redirect, status="307 Temporary Redirect", to="http+unix://%2Frun%2Fx/"),
        (BadResponse,),
    ),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> float:
    assert deadline.LONGEST == 30
    monkeypatch.setattr(deadline, "LONGEST", 0.5)
    client.resident.clear()
    return 0.5


def read(victim: Reader, url: str, longest: float) -> None:
    with HttpsTransport(url, timeout=longest) as transport:
        refresh(Gun(GUN), transport, victim.cache, now=victim.now, must_reach_server=True)


def truth(simulator: Simulator, name: str) -> list[bytes]:
    data = simulator.get(GUN, name)
    return said(NOT_FOUND, "404 Not Found") if data is None else said(data)


def require_refused(
    victim: Reader, owner: Owner, part: str, attack: Callable[[bytes], Iterable[bytes]], longest: float
) -> tuple[type[TrustError], float]:
    """Have a newer state, spoil one of its files on the way, and tell how the reading ended and after how long."""
    owner.sign("v9", digest("nine"), "alice")
    simulator = victim.simulator
    before = {role: victim.cache.load(role) for role in (roles.ROOT, roles.TIMESTAMP, roles.RELEASES)}

    def answer(name: str) -> Iterable[bytes]:
        return attack(simulator.get(GUN, name) or b"") if name.startswith(part) else truth(simulator, name)

    begun = time.monotonic()
    with serving(answer) as url, pytest.raises(TrustError) as caught:
        read(victim, url, longest)
    assert caught.value.next_step
    assert {role: victim.cache.load(role) for role in before} == before
    return type(caught.value), time.monotonic() - begun


@pytest.mark.parametrize("part", ["timestamp", "snapshot.", "targets/releases."])
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_answer_that(attack: str, part: str, victim: Reader, owner: Owner, impatient: float) -> None:
    change, refusals = ATTACKS[attack]
    refused, seconds = require_refused(victim, owner, part, change, impatient)
    assert refused in refusals
    assert seconds < 3


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_to_plain_http_is_not_followed(
    status: str, victim: Reader, owner: Owner, simulator: Simulator, impatient: float
) -> None:
    asked: list[str] = []

    def elsewhere(name: str) -> Iterable[bytes]:
        asked.append(name)
        return truth(simulator, name)

    with serving(elsewhere) as there:
        to = f"{there}/v2/{GUN}/_trust/tuf/timestamp.json"
        attack = partial(redirect, status=status, to=to)
        refused, _ = require_refused(victim, owner, "timestamp", attack, impatient)
    assert refused is BadResponse
    assert asked == []
