"""Initialise, add signers, sign: what is published, what is read back, and what is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import pytest

from signing.trust.errors import (
    BadResponse,
    CannotSign,
    InvalidInput,
    InvalidName,
    MetadataError,
    NoTrustData,
    PublishRejected,
    ServerUnreachable,
    UntrustedRoot,
    VersionConflict,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import publishing
from signing.trust.tuf import roles
from tests.memory_keystore import MemoryKeyStore
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.notary.people import Person, target


@pytest.fixture
def person(simulator: Simulator, clock: Clock) -> Person:
    return Person(simulator, clock)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, not waited for."""
    waited: list[float] = []
    monkeypatch.setattr(publishing.time, "sleep", waited.append)
    return waited


class Meddler:
    """A transport on which others publish right before each of the first posts."""

    def __init__(self, simulator: Simulator, meddle: Callable[[], None], times: int) -> None:
        self._simulator, self._meddle, self._left = simulator, meddle, times

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        if self._left:
            self._left -= 1
            self._meddle()
        self._simulator.post(gun, files)

    def __getattr__(self, name: str) -> object:
        return getattr(self._simulator, name)


# the first signer


def test_the_first_signer_initialises(person: Person, simulator: Simulator) -> None:
    alice = person.key("alice")
    published = person.repository().add_signer("alice", [alice.public])
    assert published.versions == {"root": 1, "targets": 2}
    assert published.trusted.signers() == [("alice", [alice.key_id])]
    assert [set(files) for files in simulator.posted] == [{"root", "targets"}]
    assert sorted((info.role, info.gun) for info in person.keys.list()) == [
        ("alice", None),
        ("root", None),
        ("targets", GUN),
    ]


def test_one_root_key_serves_all_repositories(person: Person) -> None:
    alice = person.key("alice")
    for gun in (GUN, "registry.example/team/other"):
        Person(person.simulator, person.now, person.keys).repository(gun).add_signer("alice", [alice.public])
    assert [info.role for info in person.keys.list()].count("root") == 1
    assert [info.role for info in person.keys.list()].count("targets") == 2


def test_keys_are_kept_before_anything_is_sent(person: Person, simulator: Simulator) -> None:
    simulator.get_key(GUN, "timestamp")
    simulator.post = broken  # type: ignore[method-assign]
    with pytest.raises(ServerUnreachable):
        person.repository().add_signer("alice", [PrivateKey.generate().public])
    assert {info.role for info in person.keys.list()} == {"root", "targets"}


def test_an_attempt_that_failed_leaves_no_orphans(person: Person, simulator: Simulator) -> None:
    alice, post = PrivateKey.generate().public, simulator.post
    simulator.post = broken  # type: ignore[method-assign]
    with pytest.raises(ServerUnreachable):
        person.repository().add_signer("alice", [alice])
    simulator.post = post  # type: ignore[method-assign]
    person.repository().add_signer("alice", [alice])
    assert [info.role for info in person.keys.list()].count("targets") == 1


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def broken(_gun: str, _files: Mapping[str, bytes]) -> None:
    raise ServerUnreachable("no answer")


def test_a_deleted_repository_is_not_quietly_made_anew(person: Person, simulator: Simulator) -> None:
    """Consumers trust the old root; a new one would look like an attack to them."""
    alice = person.key("alice")
    person.repository().add_signer("alice", [alice.public])
    simulator.delete(GUN)
    with pytest.raises(NoTrustData, match="had trust data before"):
        person.repository().add_signer("alice", [alice.public])
    assert len(simulator.posted) == 1


def test_signing_initialises_nothing(person: Person, simulator: Simulator) -> None:
    with pytest.raises(NoTrustData):
        person.repository().sign([target("v1")])
    assert person.keys.list() == []
    assert simulator.posted == []


# further signers


def test_a_further_signer(person: Person, owner: Owner, reader: Reader) -> None:
    carol = PrivateKey.generate().public
    published = person.holding(owner, "targets").repository().add_signer("carol", [carol])
    assert set(published.versions) == {"targets"}
    assert dict(reader.refresh().signers())["carol"] == [carol.key_id]
    assert [tag.tag for tag in published.trusted.released()] == ["v0", "v1", "v2"], "all stays signed"


def test_adding_who_is_there_publishes_nothing(person: Person, owner: Owner, simulator: Simulator) -> None:
    before = len(simulator.posted)
    published = person.repository().add_signer("alice", [owner.signer_keys["alice"].public])
    assert published.versions == {}
    assert len(simulator.posted) == before, "and needs no key"


def test_a_signers_second_key(person: Person, owner: Owner) -> None:
    laptop = PrivateKey.generate().public
    published = person.holding(owner, "targets").repository().add_signer("alice", [laptop])
    assert dict(published.trusted.signers())["alice"] == [owner.signer_keys["alice"].key_id, laptop.key_id]


def test_somebody_elses_repository(person: Person, owner: Owner, simulator: Simulator) -> None:
    before = len(simulator.posted)
    with pytest.raises(CannotSign, match=owner.targets_key.key_id[:12]):
        person.repository().add_signer("carol", [PrivateKey.generate().public])
    assert len(simulator.posted) == before


@pytest.mark.parametrize("name", ["releases", "Carol", "a/b", ""])
def test_names_no_signer_has(person: Person, name: str) -> None:
    with pytest.raises(InvalidName):
        person.repository().add_signer(name, [PrivateKey.generate().public])


def test_a_signer_without_a_key(person: Person) -> None:
    with pytest.raises(InvalidInput):
        person.repository().add_signer("carol", [])


# signing


def test_a_tag_goes_into_releases_and_the_signers_role(person: Person, owner: Owner, reader: Reader) -> None:
    published = person.holding(owner, "alice").repository().sign([target("v3")])
    assert set(published.versions) == {"targets/alice", "targets/releases"}
    found = reader.refresh().find_released("v3")
    assert (found.digest_hex, found.signers) == (digest("v3"), ("alice",))


def test_many_tags_are_one_publish(person: Person, owner: Owner, simulator: Simulator, reader: Reader) -> None:
    before = len(simulator.posted)
    person.holding(owner, "alice").repository().sign([target(f"n{number}") for number in range(50)])
    assert len(simulator.posted) == before + 1
    assert len(reader.refresh().released()) == 53


def test_with_two_signers_keys_both_sign(person: Person, owner: Owner) -> None:
    published = person.holding(owner, "alice", "bob").repository().sign([target("v3")])
    assert published.trusted.find_released("v3").signers == ("alice", "bob")


def test_without_signers_the_repository_key_signs(person: Person, simulator: Simulator, clock: Clock) -> None:
    owner = Owner(simulator, clock).initialise()
    published = person.holding(owner, "targets").repository().sign([target("v1")])
    assert set(published.versions) == {"targets"}
    assert published.trusted.find_released("v1").signers == ()


def test_signing_what_is_signed_publishes_nothing(person: Person, owner: Owner, simulator: Simulator) -> None:
    repository = person.holding(owner, "alice").repository()
    repository.sign([target("v3")])
    before = len(simulator.posted)
    assert repository.sign([target("v3")]).versions == {}
    assert len(simulator.posted) == before


def test_a_stranger_signs_nothing(person: Person, owner: Owner, simulator: Simulator) -> None:
    """The Go tools call it a success where the tag is there already."""
    person.key("mallory")
    for tag in ("v1", "v3"):
        with pytest.raises(CannotSign):
            person.repository().sign([target(tag, {"v1": "one"}.get(tag))])
    assert simulator.asked.count("POST") == len(simulator.posted)


def test_the_repository_key_alone_does_not_sign_for_signers(person: Person, owner: Owner) -> None:
    with pytest.raises(CannotSign):
        person.holding(owner, "root", "targets").repository().sign([target("v3")])


def test_a_signer_for_other_paths(person: Person, owner: Owner) -> None:
    owner.add_signer("carol", paths=("release-",))
    repository = person.holding(owner, "carol").repository()
    assert set(repository.sign([target("release-1")]).versions) == {"targets/carol", "targets/releases"}
    assert set(repository.sign([target("v3")]).versions) == {"targets/releases"}, "its own role may not hold it"


def test_no_tag_to_sign(person: Person) -> None:
    with pytest.raises(InvalidInput):
        person.repository().sign([])


# others at the same time


def test_somebody_publishes_in_between(person: Person, owner: Owner, simulator: Simulator, waits: list[float]) -> None:
    meddler = Meddler(simulator, lambda: owner.sign("theirs", digest("theirs"), "bob"), times=2)
    person.simulator = meddler  # type: ignore[assignment]
    published = person.holding(owner, "alice").repository().sign([target("v3")])
    tags = [tag.tag for tag in published.trusted.released()]
    assert {"theirs", "v3"} <= set(tags)
    assert len(waits) == 2


def test_somebody_publishes_every_time(person: Person, owner: Owner, simulator: Simulator, waits: list[float]) -> None:
    def meddle() -> None:
        owner.sign(f"theirs-{len(simulator.posted)}", digest("theirs"), "bob")

    person.simulator = Meddler(simulator, meddle, times=100)  # type: ignore[assignment]
    with pytest.raises(VersionConflict):
        person.holding(owner, "alice").repository().sign([target("v3")])
    assert len(waits) == publishing.MOST_ATTEMPTS - 1


# what a server says is not believed


def test_a_server_that_only_says_yes(person: Person, owner: Owner, simulator: Simulator) -> None:
    simulator.post = lambda gun, files: None  # type: ignore[method-assign,assignment]
    with pytest.raises(PublishRejected, match="does not show it"):
        person.holding(owner, "alice").repository().sign([target("v3")])


def test_a_server_that_stores_something_else(person: Person, owner: Owner, simulator: Simulator) -> None:
    post = simulator.post

    def changed(gun: str, files: Mapping[str, bytes]) -> None:
        simulator.post = post  # type: ignore[method-assign]
        owner.sign("v3", digest("another image"), "bob")
        post(gun, {})

    simulator.post = changed  # type: ignore[method-assign]
    with pytest.raises(PublishRejected):
        person.holding(owner, "alice").repository().sign([target("v3")])


def test_another_root_than_the_one_remembered(person: Person, owner: Owner, simulator: Simulator, clock: Clock) -> None:
    person.holding(owner, "alice").repository().refresh()
    simulator.delete(GUN)
    Owner(simulator, clock).initialise()
    before = len(simulator.posted)
    with pytest.raises(UntrustedRoot):
        person.repository().sign([target("v3")])
    assert len(simulator.posted) == before


def test_what_was_sent_is_fetched_again_and_nothing_else(person: Person, owner: Owner, simulator: Simulator) -> None:
    person.holding(owner, "alice").repository().refresh()
    post = simulator.post

    def posted(gun: str, files: Mapping[str, bytes]) -> None:
        post(gun, files)
        simulator.asked.clear()

    simulator.post = posted  # type: ignore[method-assign]
    person.repository().sign([target("v3")])
    asked = [name.partition(".")[0] for name in simulator.asked]
    assert asked == ["timestamp", "snapshot", "targets/alice", "targets/releases"]
    by_hash = {f"{role}.{sha256(simulator.said(GUN, role))}.json" for role in ("targets/alice", roles.RELEASES)}
    assert by_hash < set(simulator.asked)


@pytest.mark.parametrize("many", [1, 400], ids=["a short list", "a long list"])
@pytest.mark.parametrize("role", [roles.RELEASES, "targets/alice"])
@pytest.mark.parametrize("lie", [None, b"", b"{}", b"a flipped bit"])
def test_a_file_that_was_sent_and_is_not_shown(
    person: Person, owner: Owner, simulator: Simulator, lie: bytes | None, role: str, many: int
) -> None:
    """Whatever else is right; that the same bytes were signed here a moment ago proves nothing of the server."""
    post = simulator.post

    def spoiled(gun: str, files: Mapping[str, bytes]) -> None:
        post(gun, files)
        flipped = files[role].replace(b"v3-0", b"v3-1", 1) if lie == b"a flipped bit" else lie
        simulator.lies[f"{role}.{sha256(files[role])}.json"] = flipped

    simulator.post = spoiled  # type: ignore[method-assign]
    with pytest.raises((MetadataError, BadResponse)):
        person.holding(owner, "alice").repository().sign([target(f"v3-{number}") for number in range(many)])
    assert person.cache.load(role) != simulator.said(GUN, role), "what did not verify is not remembered"


def test_a_root_that_changed_unseen_is_found_when_reading_back(
    person: Person, owner: Owner, simulator: Simulator
) -> None:
    """The root is not asked for where none was sent; the snapshot tells of it."""
    post = simulator.post

    def rotated_at_once(gun: str, files: Mapping[str, bytes]) -> None:
        simulator.post = post  # type: ignore[method-assign]
        post(gun, files)
        owner.put({"root": owner.rotate("snapshot")})

    simulator.post = rotated_at_once  # type: ignore[method-assign]
    published = person.holding(owner, "alice").repository().sign([target("v3")])
    assert published.trusted.root.version == 2


def test_a_thousand_tags_ask_the_key_store_no_oftener_than_one(person: Person, owner: Owner) -> None:
    owner.add_signer("qa", paths=("qa-",))
    asked: list[str] = []

    class Store(MemoryKeyStore):
        def holds(self, key_id: str) -> bool:
            asked.append(key_id)
            return super().holds(key_id)

    person.keys = Store()
    person.holding(owner, "alice", "qa")
    counts = []
    for begin, many in (("a", 1), ("b", 1000)):
        asked.clear()
        published = person.repository().sign([target(f"{kind}{begin}{n}") for n in range(many) for kind in ("qa-", "")])
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert len(published.trusted.delegations["targets/qa"].targets) == 1001


def test_what_was_read_back_is_remembered(person: Person, owner: Owner, simulator: Simulator) -> None:
    person.holding(owner, "alice").repository().sign([target("v3")])
    for role in ("root", "timestamp", "snapshot", "targets", "targets/alice", "targets/releases"):
        assert person.cache.load(role) == simulator.said(GUN, role)
