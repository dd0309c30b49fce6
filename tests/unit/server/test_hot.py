"""Answers from memory: the same as Django's, and only while they are the newest."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signing.server import states
from signing.server.current_files import CurrentSet, Memory, StoredFile, memory
from signing.server.hot import Environ, Front, StartResponse
from signing.server.models import Collection, MetadataFile, new_state
from signing.server.states import PostgresStates, SqliteStates, StateUnknown
from tests.parts.waiting import wait_until
from tests.unit.server.conftest import Api, error_of
from tests.unit.trust.notary.publisher import Publisher, delegation, tag


class Door:
    """The layer in front of a Django that only notes what reaches it."""

    def __init__(self) -> None:
        self.passed_on: list[str] = []
        self.seen: list[tuple[str, int, int]] = []
        self.is_open = True
        self.states: states.States = SqliteStates("default")

    def get(self, path: str, method: str = "GET") -> tuple[list[tuple[str, str]], bytes] | None:
        """Give headers and body, or None where Django was asked."""
        started: list[list[tuple[str, str]]] = []
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": BytesIO()}
        front = Front(self._django, self.states, lambda environ, gun: self.is_open, self._observed)
        body = b"".join(front(environ, lambda status, headers: started.append(headers)))
        return (started[0], body) if started else None

    def _django(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.passed_on.append(environ["PATH_INFO"])
        return []

    def _observed(self, operation: str, status: int, seconds: float, sent: int) -> None:
        self.seen.append((operation, status, sent))


@pytest.fixture
def door(owner: Publisher) -> Iterator[Door]:
    yield Door()
    memory.clear()


def test_the_answer_is_djangos(api: Api, door: Door) -> None:
    for name in ("root.json", "targets.json", "snapshot.json", "timestamp.json"):
        expected = api.get(name)
        answer = door.get(api.path(name))
        assert answer is not None
        assert answer[1] == expected.content
        assert dict(answer[0]) == {**expected.headers, "Content-Length": str(len(expected.content))}
    assert door.seen[0][:2] == ("GetRole", 200)


def test_a_hash_finds_the_newest_file_only(api: Api, owner: Publisher, door: Door) -> None:
    old = sha256(api.get("snapshot.json").content).hexdigest()
    assert api.publish(("targets/alice", owner.tags())).status_code == 200
    new = sha256(api.get("snapshot.json").content).hexdigest()
    answer = door.get(api.path(f"snapshot.{new}.json"))
    assert answer is not None
    assert dict(answer[0])["Cache-Control"] == "public, max-age=2592000, s-maxage=2592000"
    assert door.get(api.path(f"snapshot.{old}.json")) is None
    assert door.get(api.path(f"root.{new}.json")) is None


@pytest.mark.parametrize(
    "path",
    [
        "/v2/",
        "/v2/nobody/app/_trust/tuf/root.json",
        "/v2/{gun}/_trust/tuf/1.root.json",
        "/v2/{gun}/_trust/tuf/timestamp.key",
        "/v2/{gun}/_trust/tuf/targets/alice.json",
        "/v2/{gun}/_trust/tuf/root.json\n",
        "/v2/{gun}/_trust/tuf//root.json",
    ],
)
def test_anything_else_is_djangos(api: Api, door: Door, path: str) -> None:
    asked = path.format(gun=api.gun)
    assert door.get(asked) is None
    assert door.passed_on == [asked]


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "PUT", "get"])
def test_other_methods_are_djangos(api: Api, door: Door, method: str) -> None:
    assert door.get(api.path("root.json"), method) is None


def test_who_may_not_read_is_sent_to_django(api: Api, door: Door) -> None:
    door.is_open = False
    assert door.get(api.path("root.json")) is None


def test_what_another_process_published_is_never_hidden(api: Api, owner: Publisher, door: Door) -> None:
    past = memory.get(api.gun)
    assert past is not None
    assert api.publish(("targets", owner.targets(3))).status_code == 200
    memory.put(api.gun, past)
    assert door.get(api.path("targets.json")) is None
    newest = api.get("root.json")  # Django brings what is remembered up to date
    for name in ("root.json", "targets.json", "snapshot.json", "timestamp.json"):
        answer = door.get(api.path(name))
        assert answer is not None
        assert answer[1] == api.get(name).content
    assert newest.status_code == 200


def test_a_repository_that_began_anew_is_another(api: Api, owner: Publisher, door: Door) -> None:
    """Its versions are lower than the ones remembered."""
    assert api.publish(("targets", owner.targets(3))).status_code == 200
    past = memory.get(api.gun)
    assert past is not None
    api.delete()
    files = api.publisher().first()
    assert api.publish(files=files).status_code == 200
    memory.put(api.gun, past)
    for role, data in files.items():
        assert api.get(f"{role}.json").content == data
    assert api.signed("timestamp.json")["version"] == 1


def test_a_restored_backup_is_not_taken_for_the_past(api: Api, owner: Publisher, door: Door) -> None:
    """What came after it is gone, though this process remembers it."""
    assert api.publish(("targets", owner.targets(3))).status_code == 200
    MetadataFile.objects.filter(role="targets", version=3).delete()
    MetadataFile.objects.filter(role__in=("snapshot", "timestamp"), version=2).delete()
    Collection.objects.update(state=new_state())
    assert api.signed("targets.json")["version"] == 2
    assert api.signed("timestamp.json")["version"] == 1


def test_others_publish_in_turns(api: Api, owner: Publisher, door: Door) -> None:
    """Two processes, each remembering what the other one has replaced."""
    remembered = [memory.get(api.gun)] * 2
    for version in range(1, 7):
        past = remembered[version % 2]
        assert past is not None
        memory.put(api.gun, past)
        sent = owner.tags(version=version, targets=tag(f"v{version}"))
        assert api.publish(("targets/alice", sent)).status_code == 200
        remembered[version % 2] = memory.get(api.gun)
    assert api.signed("snapshot.json")["version"] == 7
    for version in range(1, 7):
        assert api.signed(f"{version}.targets/alice.json")["targets"].keys() == {f"v{version}"}


def test_nothing_is_refused_on_what_is_remembered_alone(api: Api, owner: Publisher, door: Door) -> None:
    """Another process let bob in; this one does not know yet that there is a bob."""
    past = memory.get(api.gun)
    assert past is not None
    known = owner.targets_metadata(3)
    bobs = delegation("targets/bob", [owner.bob])
    let_in = owner.targets(3, delegations=(*known.delegations, bobs))
    assert api.publish(("targets", let_in)).status_code == 200
    memory.put(api.gun, past)
    assert api.publish(("targets/bob", owner.tags(owner.bob))).status_code == 200

    memory.put(api.gun, past)
    refused = api.publish(("targets/carol", owner.tags()))
    assert (refused.status_code, error_of(refused)["code"]) == (400, "INVALID_UPDATE")
    memory.put(api.gun, past)
    late = api.publish(("targets", let_in))
    assert (late.status_code, error_of(late)["code"]) == (400, "VERSION")


def test_a_publish_shows_at_once(api: Api, owner: Publisher, door: Door) -> None:
    for version in (1, 2, 3):
        sent = owner.tags(version=version, targets=tag(f"v{version}"))
        assert api.publish(("targets/alice", sent)).status_code == 200
        answer = door.get(api.path("targets/alice.json"))
        assert answer is not None
        assert answer[1] == sent


def test_what_was_deleted_is_gone(api: Api, door: Door) -> None:
    digest = sha256(api.get("root.json").content).hexdigest()
    api.delete()
    assert door.get(api.path("root.json")) is None
    assert door.get(api.path(f"root.{digest}.json")) is None


def test_what_is_due_for_renewal_is_djangos(api: Api, door: Door) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        assert door.get(api.path("timestamp.json")) is None
        assert door.get(api.path("snapshot.json")) is not None


def test_without_the_database_nothing_is_said(api: Api, door: Door) -> None:
    class Silent:
        def of(self, gun: str) -> int | None:
            raise StateUnknown

    door.states = Silent()
    assert door.get(api.path("root.json")) is None


def test_an_answer_costs_one_look(api: Api, door: Door) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert door.get(api.path("root.json")) is not None
    assert len(queries) == 0  # none of Django's; one of its own


# Memory


def stored(size: int, role: str = "root") -> StoredFile:
    return StoredFile(role, 1, "", b"x" * size, timezone.now())


def test_the_longest_unused_make_room() -> None:
    kept = Memory(limit=9_000)
    for gun in ("a", "b"):
        kept.put(gun, CurrentSet(1, {"root": stored(1_000)}))
    kept.get("a")
    kept.put("c", CurrentSet(1, {"root": stored(1_500)}))
    assert kept.get("a")
    assert kept.get("c")
    assert kept.get("b") is None


def test_what_never_fits_is_not_kept() -> None:
    kept = Memory(limit=10_000)
    kept.put("a", CurrentSet(1, {"root": stored(20_000)}))
    assert kept.get("a") is None


def test_files_of_two_states_never_mix() -> None:
    kept = Memory()
    for state, role, together in ((1, "root", {"root"}), (1, "targets", {"root", "targets"}), (2, "root", {"root"})):
        kept.add("a", state, stored(10, role))
        found = kept.get("a")
        assert found is not None
        assert (found.state, set(found.files)) == (state, together)


# Many questions, few queries


class Slow(PostgresStates):
    """A database whose answers the test lets go one by one."""

    def __init__(self) -> None:
        super().__init__("default")
        self.newest = 0
        self.queries: list[list[str]] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def _ask(self, guns: list[str]) -> dict[str, int]:
        answer = dict.fromkeys(guns, self.newest)
        self.queries.append(sorted(guns))
        self.begun.release()
        assert self.may_end.acquire(timeout=10)
        return answer


def test_a_question_is_never_answered_by_a_query_that_began_before_it() -> None:
    database, answers = Slow(), {}

    def ask(name: str, gun: str) -> None:
        answers[name] = database.of(gun)

    def start(name: str, gun: str) -> threading.Thread:
        thread = threading.Thread(target=ask, args=(name, gun))
        thread.start()
        return thread

    threads = [start("early", "a")]
    assert database.begun.acquire(timeout=10)
    database.newest = 1  # a publish while that query is on its way
    threads += [start(f"late {number}", "ab"[number % 2]) for number in range(4)]
    wait_until(lambda: database.waiting == 4, 10, "all questions are in")
    database.may_end.release(2)
    for thread in threads:
        thread.join(10)
    assert answers == {"early": 0, **{f"late {number}": 1 for number in range(4)}}
    assert database.queries == [["a"], ["a", "b"]]
