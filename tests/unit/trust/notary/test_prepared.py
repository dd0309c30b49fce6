"""Files that wait for their holders: every verb prepares them, and only these very bytes are published afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from signing.trust.errors import CannotSign, KeyStoreError, MalformedMetadata, UnmetThreshold, VersionConflict
from signing.trust.keystore.base import AbsentKey, PrivateKey
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.prepared import PreparedFile, SignaturesMissing
from signing.trust.notary.repository import Published, Repository
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Signature, Target
from tests.memory_keystore import MemoryKeyStore
from tests.simulator import GUN, Clock, Simulator

Verb = Callable[[Repository], Published]
TAG = Target.from_digest("v1", "ab" * 32, 7)


class Holder:
    """A worker that holds none of the keys named to it, and the holder who does."""

    def __init__(self, server: Simulator, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.keys: dict[str, PrivateKey] = {}
        self.store = MemoryKeyStore()
        self.repository = Repository(Gun(GUN), server, MemoryCache(), self.store, now=clock)

    def new(self, role: str, gun: str | None = None) -> AbsentKey:
        key = PrivateKey.generate()
        self.keys[key.key_id] = key
        absent = AbsentKey(key.public)
        self.store.add(absent, role, gun)
        return absent

    def prepare(self, verb: Verb) -> list[PreparedFile]:
        posts = len(self.server.posted)
        with pytest.raises(SignaturesMissing) as missing:
            verb(self.repository)
        assert len(self.server.posted) == posts, "something was sent before the holders signed"
        return [
            PreparedFile.read(file.role, file.envelope.payload, file.envelope.signatures)
            for file in self._signed(missing.value)
        ]

    def _signed(self, missing: SignaturesMissing) -> list[PreparedFile]:
        done = []
        for file in missing.files:
            given = [
                self.keys[key.canonical_id].signature(keyid, file.envelope.payload)
                for keyid, key in file.wanted.items()
            ]
            done.append(replace(file, envelope=file.envelope.with_signatures((*file.envelope.signatures, *given))))
        return done

    def carry_out(self, verb: Verb) -> Published:
        return self.repository.publish_prepared(self.prepare(verb))


@pytest.fixture
def holder(simulator: Simulator, clock: Clock) -> Holder:
    holder = Holder(simulator, clock)
    holder.new("root")
    holder.new("targets", GUN)
    return holder


@pytest.fixture
def alice(holder: Holder) -> PrivateKey:
    return holder.new("alice")


@pytest.fixture
def signed(holder: Holder, alice: PrivateKey) -> Holder:
    holder.carry_out(lambda repository: repository.add_signer("alice", [alice.public]))
    holder.carry_out(lambda repository: repository.sign([TAG]))
    return holder


def test_everything_can_be_with_holders(holder, alice):
    first = holder.carry_out(lambda repository: repository.add_signer("alice", [alice.public]))
    assert first.versions == {"root": 1, "targets": 2}
    assert dict(first.trusted.signers())["alice"] == [alice.key_id]
    holder.carry_out(lambda repository: repository.sign([TAG]))
    assert [row.tag for row in holder.repository.refresh().released()] == ["v1"]
    holder.carry_out(lambda repository: repository.revoke(["v1"]))
    assert holder.repository.refresh().released() == []


@pytest.mark.parametrize("role", [roles.ROOT, roles.TARGETS])
def test_a_key_is_replaced_by_one_of_another_holder(signed, role):
    new = signed.new(role, GUN if role == roles.TARGETS else None)
    done = signed.carry_out(lambda repository: repository.rotate(role, [new]))
    keys = done.trusted.root.role(role).keys.values()
    assert {key.canonical_id for key in keys} == {new.key_id}


def test_a_snapshot_key_goes_to_the_server_with_the_root_holders_signature(signed):
    done = signed.carry_out(lambda repository: repository.rotate(roles.SNAPSHOT, to_server=True))
    assert done.versions["root"] == 2


def test_keys_here_sign_at_once_and_holders_are_asked_for_the_rest_only(holder, alice, simulator, clock):
    here = PrivateKey.generate()
    holder.store.add(here, "targets", GUN)
    other = next(info.key_id for info in holder.store.list() if info.role == "targets" and info.key_id != here.key_id)
    del holder.store._keys[other]
    with pytest.raises(SignaturesMissing) as missing:
        holder.repository.add_signer("alice", [alice.public])
    wanted = {file.role: sorted(key.canonical_id for key in file.wanted.values()) for file in missing.value.files}
    assert wanted["targets"] == []
    assert len(wanted["root"]) == 1


def test_one_key_here_that_is_enough_asks_nobody_else(signed, alice):
    bob = PrivateKey.generate()
    signed.carry_out(lambda repository: repository.add_signer("bob", [bob.public]))
    signed.store.add(bob, "bob")
    del signed.store._keys[alice.key_id]
    assert signed.repository.sign([replace(TAG, name="v2")]).versions  # nothing is raised
    assert signed.repository.sign([replace(TAG, name="v3")], into=["targets/bob"]).versions


def test_a_threshold_of_two_takes_two_holders(signed):
    """Another client raised the threshold of root: two holders are asked, and one alone is not enough."""
    keys = [signed.new("root"), signed.new("root")]
    signed.carry_out(lambda repository: repository.rotate(roles.ROOT, keys))
    root = signed.repository.refresh().root
    stricter = replace(root.roles[roles.ROOT], threshold=2)
    stricter_root = replace(root, version=root.version + 1, roles={**root.roles, roles.ROOT: stricter})
    certificates = {key.canonical_id: keyid for keyid, key in root.role(roles.ROOT).keys.items()}
    unsigned = stricter_root.unsigned()
    made = [signed.keys[key.key_id].signature(certificates[key.key_id], unsigned.payload) for key in keys]
    signed.server.post(GUN, {roles.ROOT: unsigned.with_signatures(tuple(made)).raw})
    files = signed.prepare(lambda repository: repository.rotate(roles.SNAPSHOT, to_server=True))
    assert len(files[0].envelope.signatures) == 2
    one = PreparedFile.read(roles.ROOT, files[0].envelope.payload, files[0].envelope.signatures[:1])
    with pytest.raises(UnmetThreshold):
        signed.repository.publish_prepared([one])
    assert signed.repository.publish_prepared(files).versions == {"root": 4}


def test_too_few_signatures_are_not_published(signed):
    files = signed.prepare(lambda repository: repository.revoke(["v1"]))
    bare = [replace(file, envelope=file.envelope.with_signatures(())) for file in files]
    posts = len(signed.server.posted)
    with pytest.raises(UnmetThreshold):
        signed.repository.publish_prepared([PreparedFile.read(file.role, file.envelope.payload) for file in bare])
    assert len(signed.server.posted) == posts


def test_a_signature_of_other_bytes_is_not_published(signed):
    files = signed.prepare(lambda repository: repository.revoke(["v1"]))
    other = PrivateKey.generate()
    spoilt = []
    for file in files:
        last = file.envelope.signatures[-1]
        wrong = Signature(last.keyid, *other.sign(file.envelope.payload))
        spoilt.append(PreparedFile.read(file.role, file.envelope.payload, [*file.envelope.signatures, wrong]))
    posts = len(signed.server.posted)
    with pytest.raises(KeyStoreError, match="not one of these bytes"):
        signed.repository.publish_prepared(spoilt)
    assert len(signed.server.posted) == posts


def test_a_state_that_moved_is_not_overwritten(signed):
    files = signed.prepare(lambda repository: repository.sign([replace(TAG, name="v2")]))
    signed.carry_out(lambda repository: repository.sign([replace(TAG, name="v3")]))
    with pytest.raises(VersionConflict, match="has changed since"):
        signed.repository.publish_prepared(files)


def test_what_expired_while_it_waited_is_prepared_anew(signed, clock):
    files = signed.prepare(lambda repository: repository.revoke(["v1"]))
    late = [replace(file, content=replace(file.content, expires=clock.now - timedelta(days=1))) for file in files]
    with pytest.raises(VersionConflict):
        signed.repository.publish_prepared(late)


def test_publishing_twice_is_publishing_once(signed):
    files = signed.prepare(lambda repository: repository.revoke(["v1"]))
    signed.repository.publish_prepared(files)
    posts = len(signed.server.posted)
    assert signed.repository.publish_prepared(files).versions == {file.role: file.version for file in files}
    assert len(signed.server.posted) == posts


def test_initialising_twice_is_initialising_once(holder, alice):
    files = holder.prepare(lambda repository: repository.add_signer("alice", [alice.public]))
    holder.repository.publish_prepared(files)
    assert holder.repository.publish_prepared(files).versions == {"root": 1, "targets": 2}
    assert len(holder.server.posted) == 1


def test_the_guard_is_asked_again_before_and_after(simulator, clock):
    seen = []
    holder = Holder(simulator, clock)
    holder.repository = Repository(
        Gun(GUN),
        simulator,
        MemoryCache(),
        holder.store,
        now=clock,
        guard=lambda before, update, is_there: seen.append((is_there, update.versions)),
    )
    holder.new("root")
    holder.new("targets", GUN)
    alice = holder.new("alice")
    files = holder.prepare(lambda repository: repository.add_signer("alice", [alice.public]))
    seen.clear()
    holder.repository.publish_prepared(files)
    assert seen == [(False, {"root": 1, "targets": 2}), (True, {"root": 1, "targets": 2})]


def test_other_bytes_are_no_prepared_file(signed):
    file = signed.prepare(lambda repository: repository.revoke(["v1"]))[0]
    payload = file.envelope.payload
    for spoilt in (
        payload + b" ",
        b"[]",
        b"{}",
        payload.replace(b'"version":', b'"version": '),
        b'{"a":1},"signed":{}',
    ):
        with pytest.raises(MalformedMetadata):
            PreparedFile.read(file.role, spoilt)
    with pytest.raises(MalformedMetadata):
        PreparedFile.read(roles.ROOT, payload)


def test_who_holds_nothing_and_can_ask_nobody_still_cannot_sign(signed):
    signed.store._keys.clear()
    with pytest.raises(CannotSign):
        signed.repository.sign([replace(TAG, name="v2")])
