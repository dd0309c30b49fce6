"""The walk: complete, repeatable without asking again, and calm about servers that lie or stop."""

from __future__ import annotations

import pytest

from signing.trust.errors import BadResponse, NoTrustData, ServerUnreachable
from signing.trust.evidence.container import Archive
from signing.trust.evidence.manifest import Absent
from signing.trust.evidence.shelf import describe
from signing.trust.notary.gun import Gun
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.evidence.conftest import Keeper, digest


def archived(keeper: Keeper) -> set[str]:
    with Archive(keeper.path) as archive:
        return {file.name for file in archive.manifest.repositories[Gun(GUN)].files}


def stored(simulator: Simulator) -> set[str]:
    return {
        describe(role, data).name
        for name, data in simulator.files[GUN].items()
        for role in [name.removesuffix(".json").split(".")[-1]]
        if name[0].isdigit()
    }


@pytest.fixture
def busy(owner: Owner) -> Owner:
    owner.add_signer("alice")
    for number in range(4):
        owner.sign("v1", digest(str(number)), "alice")
    return owner


def test_every_stored_version_is_archived(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    walked = keeper.take()

    assert archived(keeper) == stored(simulator)
    assert not walked.absent
    assert not walked.oddities


def test_a_second_run_asks_for_nothing_that_is_there(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    keeper.take()
    simulator.asked.clear()

    keeper.take()

    assert sorted(simulator.asked) == ["6.timestamp.json", "root.json", "timestamp.json"]


def test_a_later_run_adds_what_is_new(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    keeper.take()
    simulator.asked.clear()
    busy.sign("v2", digest("new"), "alice")

    keeper.take()

    assert archived(keeper) == stored(simulator)
    assert len([name for name in simulator.asked if name != "POST"]) == 6


def test_an_interrupted_run_goes_on_where_it_ended(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    answer, left = simulator.get, 5

    def stops(gun: str, name: str, limit: int | None = None) -> bytes | None:
        nonlocal left
        left -= 1
        if left < 0:
            raise ServerUnreachable("gone")
        return answer(gun, name, limit)

    simulator.get = stops  # type: ignore[method-assign]  # this server dies half-way
    with pytest.raises(ServerUnreachable):
        keeper.take()
    simulator.get = answer  # type: ignore[method-assign]
    simulator.asked.clear()

    keeper.take()

    assert archived(keeper) == stored(simulator)
    numbered = [name for name in simulator.asked if name.endswith(".timestamp.json")]
    assert numbered == ["3.timestamp.json", "4.timestamp.json", "5.timestamp.json"]


def test_a_server_that_cannot_renew_is_walked_by_number(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    answer = simulator.get

    def cannot_renew(gun: str, name: str, limit: int | None = None) -> bytes | None:
        if name == "timestamp.json":
            raise ServerUnreachable("500")
        return answer(gun, name, limit)

    simulator.get = cannot_renew  # type: ignore[method-assign]

    keeper.take()

    assert archived(keeper) == stored(simulator)


def test_what_the_server_no_longer_has_is_noted(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    sha256 = describe("targets/alice", simulator.files[GUN]["2.targets/alice.json"]).sha256
    simulator.lies |= {"2.timestamp.json": None, f"targets/alice.{sha256}.json": None, "2.targets/alice.json": None}

    walked = keeper.take()

    assert walked.absent == {Absent("timestamp", 2), Absent("targets/alice", sha256=sha256)}


def test_a_file_under_another_hash_than_promised_is_found_by_its_number(
    busy: Owner, keeper: Keeper, simulator: Simulator
) -> None:
    sha256 = describe("targets/alice", simulator.files[GUN]["2.targets/alice.json"]).sha256
    simulator.lies[f"targets/alice.{sha256}.json"] = None

    keeper.take()

    assert archived(keeper) == stored(simulator)


def test_another_file_than_asked_for_is_not_taken_for_it(busy: Owner, keeper: Keeper, simulator: Simulator) -> None:
    simulator.lies["2.timestamp.json"] = simulator.files[GUN]["1.timestamp.json"]

    walked = keeper.take()

    assert Absent("timestamp", 2) in walked.absent
    assert "Asked for timestamp 2" in walked.oddities[0]


def test_a_repository_without_trust_data_is_said_to_be_one(keeper: Keeper) -> None:
    with pytest.raises(NoTrustData):
        keeper.take()


@pytest.mark.parametrize("lie", [b'{"signed":{},"signatures":[]}', b"{}", b'{"signed":{"version":99999999}}'])
def test_a_newest_file_without_a_usable_version_is_refused(
    busy: Owner, keeper: Keeper, simulator: Simulator, lie: bytes
) -> None:
    simulator.lies["timestamp.json"] = lie

    with pytest.raises(BadResponse, match="usable version"):
        keeper.take()
