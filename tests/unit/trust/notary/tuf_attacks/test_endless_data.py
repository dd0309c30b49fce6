"""Endless data (TUF 1.5.2): a server answers without end.

Goal met: every file has a limit before it is asked for, its parent's promise or a constant, and the client stays below
150 MB whatever is sent, by a stranger or signed by the repository's own keys.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import pytest

from signing.trust.notary import client
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Target, Targets
from signing.trust.tuf.tag_list import TagList
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import digest
from tests.unit.trust.notary.hostile import NOT_FOUND, read_in_a_process, said, serving

pytestmark = pytest.mark.loopback

MEGABYTES = 150


def served(simulator: Simulator, name: str) -> Iterable[bytes]:
    data = simulator.get(GUN, name)
    return said(NOT_FOUND, "404 Not Found") if data is None else said(data)


HEAD = b"HTTP/1.1 200 OK\r\n"
ENDLESS = {
    "without a length": [HEAD + b"\r\n{"],
    "in pieces": [HEAD + b"Transfer-Encoding: chunked\r\n\r\n"],
    "with a length beyond measure": [HEAD + b"Content-Length: 999999999999999\r\n\r\n{"],
    "of headers": [HEAD],
}
MORE = {"in pieces": b"10000\r\n" + b" " * 0x10000 + b"\r\n", "of headers": b"X-More: " + b"x" * 65536 + b"\r\n"}


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("role", ["root", "timestamp", "targets"])
def test_an_endless_answer(role: str, kind: str, owner: Owner, simulator: Simulator) -> None:
    def answer(name: str) -> Iterable[bytes]:
        if not name.startswith(role) or name.startswith("targets/"):
            return served(simulator, name)
        return itertools.chain(ENDLESS[kind], itertools.repeat(MORE.get(kind, b" " * 65536)))

    with serving(answer) as url:
        outcome = read_in_a_process(url, GUN, owner.now())
    assert outcome["error"] in ("too_large", "length_mismatch", "bad_response")
    assert outcome["megabytes"] < MEGABYTES
    assert outcome["seconds"] < 30


def filled(owner: Owner, role: str, size: int, *, same: bool = True) -> None:
    """Sign so many tags that the file nearly has that size."""
    shortest = 95
    count = (size - 2000) // shortest
    digests = [digest(str(number if not same else 1)) for number in range(count if not same else 1)] * (
        count if same else 1
    )
    owner.files[role] = replace(
        owner.file(role),
        targets={f"t{number:07d}": Target.from_digest(f"t{number:07d}", digests[number], 5) for number in range(count)},
    )


def test_as_much_as_is_read_at_most_signed_by_the_right_keys(owner: Owner, simulator: Simulator) -> None:
    for role in ("targets/alice", roles.RELEASES):
        filled(owner, role, client.LARGEST_FILE - 100_000, same=False)
        envelope = owner.next_file(role)
        assert client.LARGEST_FILE * 0.9 < len(envelope.raw) < client.LARGEST_FILE
        simulator.put(GUN, role, envelope)
    simulator.put_snapshot(GUN)
    assert isinstance(Targets.from_envelope(Envelope.parse(simulator.said(GUN, roles.RELEASES))).targets, TagList)

    with serving(lambda name: served(simulator, name)) as url:
        outcome = read_in_a_process(url, GUN, owner.now())
    assert outcome["megabytes"] < MEGABYTES, outcome
    assert outcome.get("tags", 0) > 50_000 or outcome["left_out"], outcome


CUSTOM = {
    "empty lists": [[] for _ in range(140_000)],
    "empty objects": [{} for _ in range(140_000)],
    "short texts": [str(number) for number in range(290_000)],
    "numbers": list(range(1_000_000_000, 1_000_290_000)),
    "members": {str(number): 1 for number in range(290_000)},
    "long texts": ["x" * 1_000_000 for _ in range(7)],
}


@pytest.mark.parametrize("kind", CUSTOM)
def test_the_most_that_few_bytes_can_become(kind: str, owner: Owner, simulator: Simulator) -> None:
    file = owner.files["targets/alice"]
    heavy = replace(file.targets["v1"], custom={"x": CUSTOM[kind]})
    owner.files["targets/alice"] = replace(file, targets={**file.targets, "v1": heavy})
    owner.put({"targets/alice": owner.next_file("targets/alice")})

    with serving(lambda name: served(simulator, name)) as url:
        outcome = read_in_a_process(url, GUN, owner.now())
    assert outcome["megabytes"] < MEGABYTES, outcome
    assert outcome["tags"] == 3


def test_many_files_that_are_heavy_only_together(owner: Owner, simulator: Simulator) -> None:
    for number in range(30):
        role = f"targets/heavy{number}"
        owner.add_signer(role.removeprefix("targets/"))
        heavy = Target("x", 1, {"sha256": bytes(32)}, {"x": CUSTOM["empty lists"]})
        owner.files[role] = replace(owner.file(role), targets={"x": heavy})
        simulator.put(GUN, role, owner.next_file(role))
    simulator.put_snapshot(GUN)

    with serving(lambda name: served(simulator, name)) as url:
        outcome = read_in_a_process(url, GUN, owner.now())
    assert outcome["megabytes"] < MEGABYTES, outcome
    assert outcome["tags"] == 3
    assert len(outcome["left_out"]) >= 28
