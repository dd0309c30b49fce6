"""An archive answers as its server did, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import judge
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.serving import ServedArchive
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.evidence.conftest import Keeper, digest

BASE = f"/v2/{GUN}/_trust/tuf"


@pytest.fixture
def served(owner: Owner, keeper: Keeper) -> Iterator[ServedArchive]:
    owner.add_signer("alice")
    owner.sign("v1", digest("one"), "alice")
    owner.publish({"root": owner.rotate_root()})
    keeper.take()
    with Archive(keeper.path) as archive:
        record = archive.manifest.repositories[Gun(GUN)]
        yield ServedArchive(archive, [judge(Gun(GUN), record, lambda file: archive.read(GUN, file), RootPins())])


def test_every_name_its_server_knew_is_answered_with_the_same_bytes(
    served: ServedArchive, simulator: Simulator
) -> None:
    for name, data in simulator.files[GUN].items():
        assert served.answer("GET", f"{BASE}/{name}")[:2] == (200, data), name


def test_a_client_reads_it_as_it_read_the_server(served: ServedArchive, simulator: Simulator, clock: Clock) -> None:
    class Transport(Simulator):
        def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
            answer = served.answer("GET", f"/v2/{gun}/_trust/tuf/{name}")
            return answer.body if answer.status == 200 else None

    ours = refresh(Gun(GUN), Transport(clock), MemoryCache(), now=clock)
    theirs = refresh(Gun(GUN), simulator, MemoryCache(), now=clock)

    assert ours.released() == theirs.released()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v2/other.example/app/_trust/tuf/root.json",
        f"{BASE}/targets/../root.json",
        f"{BASE}/9.root.json",
        f"{BASE}/0.root.json",
        f"{BASE}/root.{'AB' * 32}.json",
        f"{BASE}/timestamp.key",
        f"{BASE}/1.root.{'ab' * 32}.json",
        "//evil.example/v2/",
    ],
)
def test_anything_else_is_not_found_in_notary_s_words(served: ServedArchive, path: str) -> None:
    answer = served.answer("GET", path)

    assert answer.status == 404
    assert json.loads(answer.body)["errors"][0]["code"] == "METADATA_NOT_FOUND"


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_nothing_is_ever_written(served: ServedArchive, method: str) -> None:
    assert served.answer(method, f"{BASE}/").status == 403


def test_head_is_not_found_as_on_notary_server(served: ServedArchive) -> None:
    assert served.answer("HEAD", f"{BASE}/root.json").status == 404


def test_the_probe_and_the_changefeed_are_answered(served: ServedArchive) -> None:
    assert served.answer("GET", "/v2/").body == b"{}"
    assert json.loads(served.answer("GET", f"/v2/{GUN}/_trust/changefeed?records=10").body) == {
        "count": 0,
        "records": [],
    }
    assert served.answer("GET", f"/v2/{GUN}/_trust/changefeed").status == 400
