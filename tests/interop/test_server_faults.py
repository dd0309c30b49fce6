"""What the built-in trust server does when things break, and when many want the same."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from signing.trust.tuf.metadata import Target
from tests.parts.builtin_server import BuiltinServer
from tests.parts.notary_cli import NotaryCli
from tests.parts.programs import require_program
from tests.parts.raw_client import Answer, RawClient, new_gun
from tests.parts.stores import Postgres
from tests.parts.waiting import wait_until
from tests.unit.trust.notary.publisher import Publisher, tag
from trustui.embedded.processes import NotReady

KILLS = int(os.environ.get("FAULT_KILLS", "3"))
"""How often the server is killed in the middle of publishing; the goal is 100."""

LEFT_FREE = 2 * 1024 * 1024
LARGE_ROLE, MOST_UNTIL_FULL = 5_000, 40

UNREACHABLE = (http.client.HTTPException, OSError)


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """One that tests may kill; a long run outlives pytest's temporary folders, which later runs clear away."""
    with tempfile.TemporaryDirectory(prefix="trustui-faults-") as folder:
        started = Postgres(Path(folder) / "cluster")
        try:
            yield started.start()
        finally:
            started.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuiltinServer]:
    is_postgres = request.param == "postgresql"
    url = request.getfixturevalue("own_postgres").create_database("faults") if is_postgres else ""
    started = BuiltinServer(tmp_path_factory.mktemp(f"faults-{request.param}"), url)
    try:
        yield started.start()
    finally:
        started.stop()


@pytest.fixture
def first(server: BuiltinServer) -> Iterator[tuple[RawClient, Publisher]]:
    """The owner of a repository that was just published."""
    with RawClient(server, new_gun()) as client:
        owner = client.owner()
        assert client.post(owner.first()).status == 200
        yield client, owner


def at_once(count: int, work: Callable[[int], Answer]) -> list[Answer]:
    """Let as many threads do it at the same moment."""
    barrier = threading.Barrier(count)

    def wait_and_work(number: int) -> Answer:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_work, range(count)))


# Many at once


def test_of_sixteen_publishers_of_one_version_one_wins(
    server: BuiltinServer, first: tuple[RawClient, Publisher]
) -> None:
    client, owner = first
    with contextlib.ExitStack() as connected:
        clients = [connected.enter_context(RawClient(server, client.gun)) for _ in range(16)]
        for version in (1, 2, 3):
            files = [owner.tags(version=version, targets=tag(f"of-{number}")) for number in range(16)]
            answers = at_once(16, lambda number, files=files: clients[number].post({"targets/alice": files[number]}))  # type: ignore[misc]
            assert sorted(answer.status for answer in answers) == [200] + [400] * 15
            assert {answer.code for answer in answers if answer.status != 200} == {"VERSION"}
            winner = next(number for number, answer in enumerate(answers) if answer.status == 200)
            assert client.get("targets/alice.json").body == files[winner]
    assert client.whole_set()["timestamp"] == 4


def test_of_eight_first_publishes_one_wins(server: BuiltinServer) -> None:
    gun = new_gun()
    with contextlib.ExitStack() as connected:
        clients = [connected.enter_context(RawClient(server, gun)) for _ in range(8)]
        owners = [client.owner() for client in clients]
        updates = [owner.first() for owner in owners]
        answers = at_once(8, lambda number: clients[number].post(updates[number]))
        assert sorted(answer.status for answer in answers) == [200] + [400] * 7, answers
        assert {answer.code for answer in answers if answer.status != 200} == {"VERSION"}
        winner = next(number for number, answer in enumerate(answers) if answer.status == 200)
        assert clients[0].get("root.json").body == updates[winner]["root"]
        assert clients[0].whole_set() == {"root": 1, "targets": 2, "snapshot": 1, "timestamp": 1}


def test_readers_see_whole_and_newest_sets_while_others_publish(
    server: BuiltinServer, first: tuple[RawClient, Publisher]
) -> None:
    client, owner = first
    files = [owner.tags(version=version, targets=tag(f"v{version}")) for version in range(1, 61)]
    acknowledged, ended = [1], threading.Event()

    def read() -> int:
        looks = 0
        with RawClient(server, client.gun) as reader:
            while not ended.is_set() or not looks:
                at_least = acknowledged[0]
                found = reader.whole_set()
                assert found["timestamp"] >= at_least, "an acknowledged publish was hidden"
                looks += 1
        return looks

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for file in files:
                assert client.post({"targets/alice": file, "targets/releases": file}).status == 200
                acknowledged[0] += 1
        finally:
            ended.set()
        assert all(reader.result() for reader in readers)
    assert client.whole_set()["targets/alice"] == 60


def test_eight_real_publishers_lose_no_acknowledged_tag(server: BuiltinServer, tmp_path: Path) -> None:
    gun, program = new_gun(), require_program("notary")

    def person(name: str) -> NotaryCli:
        return NotaryCli(program, tmp_path / name, server.url, server.ca_file)

    owner = person("owner")
    owner.run("init", gun).succeeded()
    owner.run("publish", gun).succeeded()
    owner.rotate(gun, "snapshot", to_server=True).succeeded()
    people = [person(f"person-{number}") for number in range(8)]
    for someone in people:
        _share_keys(owner, someone)

    def publish(number: int) -> int:
        """Try until it is acknowledged; a conflict is for people to repeat."""
        name, someone = f"v{number}", people[number]
        for attempt in range(1, 40):
            someone.run("reset", gun, "--all")
            someone.run("addhash", gun, name, "528", "--sha256", f"{number:02x}" * 32).succeeded()
            if someone.run("publish", gun).code == 0:
                return attempt
            time.sleep(random.uniform(0, 0.2))
        raise AssertionError(f"{name} was never acknowledged")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(publish, range(8)))
    assert sorted(owner.list(gun)) == [f"v{number}" for number in range(8)]


def _share_keys(owner: NotaryCli, someone: NotaryCli) -> None:
    target = someone.trust_dir / "private"
    target.mkdir(parents=True, mode=0o700)
    for key_file in (owner.trust_dir / "private").glob("*.key"):
        copy = target / key_file.name
        copy.touch(mode=0o600)
        copy.write_bytes(key_file.read_bytes())


# Broken off


class Persistent:
    """A publisher who goes on after whatever happens, and keeps account of what was acknowledged."""

    def __init__(self, server: BuiltinServer) -> None:
        self.client = RawClient(server, new_gun())
        self.publisher = self.client.owner()
        assert self.client.post(self.publisher.first()).status == 200
        self.acknowledged = self.checked = 0
        self.sent: dict[int, bytes] = {}

    def publish_until_it_breaks(self) -> None:
        while True:
            try:
                self.publish()
            except UNREACHABLE:
                return

    def publish(self) -> None:
        """Publish the next version; one that is stored already, though nobody heard of it, is passed over."""
        version = self.acknowledged + 1
        self.sent.setdefault(version, self.publisher.tags(version=version, targets=tag(f"v{version}")))
        answer = self.client.post({"targets/alice": self.sent[version]})
        assert answer.status == 200 or (answer.status, answer.code) == (400, "VERSION"), answer
        self.acknowledged = version

    def check(self) -> None:
        """Find everything acknowledged, whole, and publish one more."""
        if self.acknowledged:
            assert self.client.whole_set()["targets/alice"] >= self.acknowledged
        for version in range(self.checked + 1, self.acknowledged + 1):
            assert self.client.get(f"{version}.targets/alice.json").body == self.sent[version], "lost"
        self.checked = self.acknowledged
        self.publish()
        assert self.client.whole_set()["targets/alice"] == self.acknowledged


@contextlib.contextmanager
def persistent(server: BuiltinServer, count: int) -> Iterator[list[Persistent]]:
    people = [Persistent(server) for _ in range(count)]
    try:
        yield people
    finally:
        for person in people:
            person.client.close()


def acknowledged(people: list[Persistent]) -> int:
    return sum(person.acknowledged for person in people)


def is_beyond(people: list[Persistent], before: int) -> bool:
    return acknowledged(people) > before


def test_killed_in_the_middle_nothing_is_lost_torn_or_stuck(server: BuiltinServer) -> None:
    with persistent(server, 3) as people:
        for _ in range(KILLS):
            before = acknowledged(people)
            with ThreadPoolExecutor(len(people)) as threads:
                working = [threads.submit(person.publish_until_it_breaks) for person in people]
                wait_until(partial(is_beyond, people, before), 20, "publishes")
                time.sleep(random.uniform(0, 0.3))  # the moment is the point
                server.kill()
            for done in working:
                done.result()
            server.resume()
            for person in people:
                person.check()


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_postgresql_killed_and_back(server: BuiltinServer, own_postgres: Postgres) -> None:
    with persistent(server, 1) as (person,):
        person.publish()
        own_postgres.kill()
        for name in ("timestamp.json", "targets/alice.json", "1.root.json"):
            asked = time.monotonic()
            answer = person.client.get(name)
            assert (answer.status, answer.code) == (500, "UNKNOWN")
            assert time.monotonic() - asked < 10, "clients should hear soon"
        answer = person.client.post({"targets/alice": person.publisher.tags(version=2)})
        assert (answer.status, answer.code) == (500, "UPDATING")
        _resume(own_postgres)
        wait_until(lambda: person.client.get("timestamp.json").status == 200, 10, "an answer")
        person.check()


def test_a_full_disk_under_postgresql_loses_nothing_and_passes(own_postgres: Postgres, tmp_path: Path) -> None:
    with own_postgres.on_small_disk("full", megabytes=48) as (url, disk):
        server = BuiltinServer(tmp_path, url)
        try:
            server.start()
            with persistent(server, 1) as (person,):
                person.publish()
                ballast = disk / "ballast"
                ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - LEFT_FREE)))
                refused = publish_until_refused(person)
                assert (refused.status, refused.code) == (500, "UPDATING")
                assert person.client.whole_set()["targets/alice"] == person.acknowledged

                ballast.unlink()
                person.sent.clear()
                person.checked = person.acknowledged
                person.check()
        finally:
            server.stop()


def publish_until_refused(person: Persistent) -> Answer:
    """Publish tags that nothing compresses, until there is no more room."""
    for _ in range(MOST_UNTIL_FULL):
        version = person.acknowledged + 1
        targets = {f"v{n}": Target.from_digest(f"v{n}", os.urandom(32).hex(), 528) for n in range(LARGE_ROLE)}
        answer = person.client.post({"targets/alice": person.publisher.tags(version=version, targets=targets)})
        if answer.status != 200:
            return answer
        person.acknowledged = version
    raise AssertionError("the disk was never full")


def _resume(postgres: Postgres) -> None:
    """Start it again; as long as its orphans live it refuses."""
    deadline = time.monotonic() + 20
    while True:
        try:
            postgres.resume()
        except NotReady:
            if time.monotonic() > deadline:
                raise
        else:
            return
