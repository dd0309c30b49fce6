"""Revoke, remove, delegate, witness, rotate, delete: what is true afterwards, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from signing.trust.errors import (
    CannotSign,
    ExpiredMetadata,
    InvalidInput,
    InvalidName,
    NoSuchSigner,
    NoSuchTarget,
    NotConfirmed,
    NotFound,
    NoTrustData,
    PublishRejected,
    ServerUnreachable,
    UnmetThreshold,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.changelist import Change
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Delegation, Envelope, RoleKeys
from tests.simulator import GUN, Clock, Owner, Simulator, signed_by
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.notary.people import Person, target


@pytest.fixture
def person(simulator: Simulator, clock: Clock) -> Person:
    return Person(simulator, clock)


@pytest.fixture
def lead(person: Person, owner: Owner) -> Person:
    """Who initialised the repository, without any signer's key."""
    return person.holding(owner, "root", "targets")


def tags(reader: Reader) -> list[str]:
    return [row.tag for row in reader.refresh().released()]


# revoke


def test_a_revoked_tag_is_released_no_more(person: Person, owner: Owner, reader: Reader) -> None:
    published = person.holding(owner, "alice").repository().revoke(["v1"])
    assert set(published.versions) == {"targets/alice", "targets/releases"}
    assert tags(reader) == ["v0", "v2"]
    assert published.changes == (f"v1 is not signed any more (it was sha256:{digest('one')[:12]}).",)
    assert "v1" in reader.refresh().delegations["targets/bob"].targets, "bob's key is away"


def test_a_tag_of_the_repository_key_is_revoked_too(lead: Person, owner: Owner, reader: Reader) -> None:
    """docker says so and leaves it where there are signers."""
    lead.repository().revoke(["v0"])
    assert tags(reader) == ["v1", "v2"]


def test_what_stays_released_is_no_success(person: Person, owner: Owner, simulator: Simulator) -> None:
    before = len(simulator.posted)
    with pytest.raises(CannotSign, match="targets"):
        person.holding(owner, "alice").repository().revoke(["v0"])
    with pytest.raises(NoSuchTarget):
        person.repository().revoke(["v1", "v9"])
    assert len(simulator.posted) == before


def test_all_tags_are_revoked(lead: Person, owner: Owner, reader: Reader) -> None:
    repository = lead.holding(owner, "alice", "bob").repository()
    repository.revoke()
    assert tags(reader) == []
    assert [name for name, _ in reader.refresh().signers()] == ["alice", "bob"], "signers stay"
    assert repository.revoke().versions == {}


def test_revoking_all_takes_what_was_never_released_too(lead: Person, owner: Owner, reader: Reader) -> None:
    repository = lead.holding(owner, "alice").repository()
    repository.sign([target("v9")], into=["targets/alice"])
    repository.revoke()
    assert not reader.refresh().delegations["targets/alice"].targets
    repository.sign([target("v9")], into=["targets/alice"])
    assert "targets/alice" in repository.revoke().versions, "nothing was released, and there is something to take"


def test_revoking_all_begins_releases_anew(lead: Person, owner: Owner, reader: Reader, clock: Clock) -> None:
    owner.put({roles.RELEASES: owner.next_file(roles.RELEASES, expires=clock() - timedelta(days=1))})
    repository = lead.holding(owner, "alice").repository()
    with pytest.raises(ExpiredMetadata, match="expired") as refusal:
        repository.sign([target("v3")])
    assert "witness" in refusal.value.next_step
    repository.revoke()
    repository.sign([target("v3")])
    assert tags(reader) == ["v3"]


# signer remove


def test_a_removed_signer_signs_no_more(lead: Person, owner: Owner, reader: Reader) -> None:
    published = lead.holding(owner, "alice").repository().remove_signer("bob")
    trusted = reader.refresh()
    bob = owner.signer_keys["bob"].key_id
    assert [name for name, _ in trusted.signers()] == ["alice"]
    releases = trusted.targets.delegation(roles.RELEASES)
    assert releases is not None
    assert bob not in releases.keyids
    assert bob not in trusted.targets.keys
    assert tags(reader) == ["v0", "v1", "v2"]
    assert published.changes == (
        "targets/bob is not delegated to any more.",
        f"targets/releases cannot be signed with {bob[:12]} any more.",
        "v1 is signed by alice now (before: by alice, bob).",
        *(item for item in published.changes if "anew" in item),
    )


def test_releases_is_signed_anew_with_a_remaining_key(lead: Person, owner: Owner, reader: Reader) -> None:
    owner.sign("v3", digest("three"), "bob")
    only_bob = [key for key in owner.signer_keys.values() if key is owner.signer_keys["bob"]]
    owner.put({roles.RELEASES: signed_by(replace(owner.files[roles.RELEASES], version=9), *only_bob)})
    published = lead.holding(owner, "alice").repository().remove_signer("bob")
    assert set(published.versions) == {"targets", "targets/releases"}
    assert "v3" in tags(reader)
    assert any(text.startswith("v3 is signed by no signer") for text in published.changes)


def test_tags_that_would_stop_verifying_are_named(lead: Person, owner: Owner, simulator: Simulator) -> None:
    only_bob = owner.signer_keys["bob"]
    owner.put({roles.RELEASES: signed_by(replace(owner.files[roles.RELEASES], version=9), only_bob)})
    before = len(simulator.posted)
    with pytest.raises(NotConfirmed, match="v1, v2") as refusal:
        lead.repository().remove_signer("bob")
    assert refusal.value.detail["tags"] == ["v1", "v2"]
    assert len(simulator.posted) == before
    published = lead.repository().remove_signer("bob", force=True)
    assert any("targets/releases signed does not count any more" in text for text in published.changes)
    assert sum("is not signed any more" in text for text in published.changes) == 2


def test_the_last_signer_is_guarded(lead: Person, owner: Owner, reader: Reader) -> None:
    repository = lead.holding(owner, "alice").repository()
    repository.remove_signer("bob")
    with pytest.raises(NotConfirmed, match="Nobody could sign targets/releases"):
        repository.remove_signer("alice")
    repository.remove_signer("alice", force=True)
    assert tags(reader) == ["v0"]
    assert reader.refresh().signers() == []


def test_a_key_of_two_signers_goes_on_releasing(lead: Person, owner: Owner, reader: Reader) -> None:
    shared = owner.signer_keys["alice"]
    owner.delegate(roles.TARGETS, "targets/ci", [shared])
    owner.publish({roles.TARGETS: owner.next_file(roles.TARGETS)})
    lead.repository().remove_signer("ci")
    releases = reader.refresh().targets.delegation(roles.RELEASES)
    assert releases is not None
    assert shared.key_id in releases.keyids


def test_a_removed_signer_comes_back_with_another_key(lead: Person, owner: Owner, reader: Reader) -> None:
    """With docker the role stays dead: it starts again at version 1, which the server has."""
    lead.holding(owner, "bob").repository().remove_signer("alice")
    fresh = lead.key("alice")
    lead.repository().add_signer("alice", [fresh.public])
    lead.repository().sign([target("v3")])
    assert reader.refresh().find_released("v3").signers == ("bob", "alice")
    assert "v1" not in reader.refresh().delegations["targets/alice"].targets


def test_a_removed_signer_comes_back_where_the_snapshot_forgot(lead: Person, owner: Owner, reader: Reader) -> None:
    lead.holding(owner, "bob").repository().rotate(roles.SNAPSHOT)
    lead.repository().remove_signer("alice")
    fresh = lead.key("alice")
    lead.repository().add_signer("alice", [fresh.public])
    published = lead.repository().sign([target("v3")])
    assert published.versions["targets/alice"] > 1
    assert reader.refresh().find_released("v3").signers == ("bob", "alice")


@pytest.mark.parametrize(("name", "refusal"), [("carol", NoSuchSigner), ("releases", InvalidName)])
def test_who_cannot_be_removed(lead: Person, name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        lead.repository().remove_signer(name)


def test_removing_needs_the_repository_key(person: Person, owner: Owner) -> None:
    with pytest.raises(CannotSign):
        person.holding(owner, "alice", "bob").repository().remove_signer("bob", force=True)


# a signer's keys


def test_a_signers_key_is_replaced(lead: Person, owner: Owner, reader: Reader) -> None:
    old, new = owner.signer_keys["alice"], lead.key("alice")
    published = lead.repository().replace_signer_keys("alice", [new.public])
    assert set(published.versions) == {"targets", "targets/alice", "targets/releases"}
    trusted = reader.refresh()
    assert dict(trusted.signers())["alice"] == [new.key_id]
    assert old.key_id not in trusted.targets.keys
    assert trusted.find_released("v2").signers == ("alice",), "what alice signed is hers still"


def test_a_key_whose_private_half_is_elsewhere(lead: Person, owner: Owner, reader: Reader) -> None:
    new = PrivateKey.generate().public
    with pytest.raises(NotConfirmed):
        lead.repository().replace_signer_keys("alice", [new])
    lead.holding(owner, "bob").repository().replace_signer_keys("alice", [new], force=True)
    assert list(reader.refresh().left_out) == ["targets/alice"]
    assert tags(reader) == ["v0", "v1", "v2"], "bob released them"


def test_one_of_two_keys_is_replaced(lead: Person, owner: Owner, reader: Reader) -> None:
    laptop, token = lead.key("alice"), lead.key("alice")
    lead.repository().add_signer("alice", [laptop.public])
    lead.repository().replace_signer_keys("alice", [token.public], [owner.signer_keys["alice"].key_id])
    assert dict(reader.refresh().signers())["alice"] == [laptop.key_id, token.key_id]
    with pytest.raises(NoSuchSigner):
        lead.repository().replace_signer_keys("alice", [token.public], ["00" * 32])


# delegations


def test_a_delegation_with_paths_and_keys(lead: Person, reader: Reader) -> None:
    keys = [lead.key("qa"), PrivateKey.generate()]
    change = Change.add_delegation("targets/qa", [key.public for key in keys], ["rc-", "beta-"], threshold=1)
    published = lead.repository().apply([change])
    item = reader.refresh().targets.delegation("targets/qa")
    assert item == Delegation("targets/qa", tuple(key.key_id for key in keys), 1, ("rc-", "beta-"))
    assert published.changes == (
        f"targets/qa is delegated to the keys {keys[0].key_id[:12]}, {keys[1].key_id[:12]} "
        "for tags beginning with rc-, beta-.",
    )
    assert lead.repository().apply([change]).versions == {}


def test_paths_and_keys_are_taken_back(lead: Person, owner: Owner, reader: Reader) -> None:
    one, two = PrivateKey.generate(), PrivateKey.generate()
    repository = lead.repository()
    repository.apply([Change.add_delegation("targets/qa", [one.public, two.public], ["rc-", "beta-"])])
    repository.apply([Change.edit_delegation("targets/qa", remove_keys=[one.key_id], remove_paths=["rc-"])])
    assert reader.refresh().targets.delegation("targets/qa") == Delegation("targets/qa", (two.key_id,), 1, ("beta-",))
    repository.apply([Change.edit_delegation("targets/qa", clear_paths=True)])
    assert reader.refresh().targets.delegation("targets/qa") == Delegation("targets/qa", (two.key_id,), 1, ())
    repository.apply([Change.remove_delegation("targets/qa")])
    trusted = reader.refresh()
    assert trusted.targets.delegation("targets/qa") is None
    assert {one.key_id, two.key_id} & trusted.targets.keys.keys() == set()


def test_a_purged_key_is_nowhere(lead: Person, owner: Owner, reader: Reader) -> None:
    alice = owner.signer_keys["alice"].key_id
    with pytest.raises(NotConfirmed, match="targets/alice"):
        lead.holding(owner, "bob").repository().apply([Change.purge([alice])])
    lead.repository().apply([Change.purge([alice])], force=True)
    trusted = reader.refresh()
    assert alice not in trusted.targets.keys
    assert all(alice not in item.keyids for item in trusted.targets.delegations)
    assert list(trusted.left_out) == ["targets/alice"]


def test_below_a_delegation(person: Person, owner: Owner, reader: Reader) -> None:
    tools = person.holding(owner, "alice").key("tools")
    repository = person.repository()
    repository.apply([Change.add_delegation("targets/alice/tools", [tools.public], [""])])
    repository.sign([target("t1")], into=["targets/alice/tools"])
    assert reader.refresh().delegations["targets/alice/tools"].targets.keys() == {"t1"}
    repository.apply([Change.remove_delegation("targets/alice/tools")])
    assert dict(reader.refresh().signers()).keys() == {"alice", "bob"}


@pytest.mark.parametrize(
    "change",
    [
        Change.edit_delegation("targets/absent", clear_paths=True),
        Change.add_delegation("targets/absent/below", [PrivateKey.generate().public], [""]),
        Change.set_target("targets/absent", target("v1")),
        Change.witness("targets/absent"),
    ],
    ids=["edit", "below", "target", "witness"],
)
def test_a_delegation_that_is_not_there(lead: Person, change: Change) -> None:
    with pytest.raises(NotFound):
        lead.repository().apply([change])


# thresholds


@pytest.fixture
def pair(lead: Person, owner: Owner) -> tuple[PrivateKey, PrivateKey]:
    """Two signers of whom both have to sign in releases."""
    keys = owner.signer_keys["alice"], owner.signer_keys["bob"]
    lead.holding(owner, "alice", "bob").repository().apply([Change.edit_delegation(roles.RELEASES, threshold=2)])
    return keys


def test_both_keys_sign(lead: Person, pair: tuple[PrivateKey, PrivateKey], reader: Reader) -> None:
    trusted = reader.refresh()
    assert tags(reader) == ["v0", "v1", "v2"], "releases was signed anew by both"
    assert len(trusted.envelopes[roles.RELEASES].signatures) == 2
    lead.repository().sign([target("v3")])
    assert reader.refresh().find_released("v3").signers == ("alice", "bob")


def test_one_of_two_keys_names_the_other(
    simulator: Simulator, clock: Clock, owner: Owner, pair: tuple[PrivateKey, PrivateKey]
) -> None:
    alone = Person(simulator, clock).holding(owner, "alice").repository()
    with pytest.raises(CannotSign, match=pair[1].key_id[:12]) as refusal:
        alone.sign([target("v3")])
    assert "2 keys, and 1" in refusal.value.message
    assert refusal.value.detail["missing"] == [pair[1].key_id]


def test_a_threshold_that_nobody_at_hand_can_meet(lead: Person, owner: Owner) -> None:
    only_bob = owner.signer_keys["bob"]
    owner.put({roles.RELEASES: signed_by(replace(owner.files[roles.RELEASES], version=9), only_bob)})
    with pytest.raises(NotConfirmed, match="v1, v2"):
        lead.repository().apply([Change.edit_delegation(roles.RELEASES, threshold=2)])
    with pytest.raises(NotConfirmed, match="Nobody could sign targets/alice"):
        lead.repository().apply([Change.edit_delegation("targets/alice", threshold=2)])


def test_a_root_of_two_keys(lead: Person, owner: Owner, reader: Reader, clock: Clock) -> None:
    from signing.trust.keystore.certificates import root_certificate

    second = PrivateKey.generate()
    certificate = root_certificate(second, GUN, clock())
    both = RoleKeys((owner.certificate.key_id, certificate.key_id), 2)
    owner.root = replace(
        owner.root,
        version=2,
        keys={**owner.root.keys, certificate.key_id: certificate},
        roles={**owner.root.roles, roles.ROOT: both},
    )
    owner.publish({roles.ROOT: owner.signed_root((certificate.key_id, second))})
    with pytest.raises(CannotSign, match=second.key_id[:12]):
        lead.repository().rotate(roles.TARGETS)
    lead.keep(second, "root")
    lead.repository().rotate(roles.TARGETS)
    published = lead.repository().rotate(roles.ROOT)
    assert len(published.trusted.root.role(roles.ROOT).keys) == 2
    assert len(published.trusted.envelopes[roles.ROOT].signatures) == 4
    reader.refresh()


# witness


def test_an_expired_delegation_is_revived(person: Person, owner: Owner, reader: Reader, clock: Clock) -> None:
    owner.put({"targets/bob": owner.next_file("targets/bob", expires=clock() - timedelta(days=1))})
    published = person.holding(owner, "bob").repository().witness(["targets/bob"])
    assert published.changes == (
        "What targets/bob signed counts again.",
        "v1 is signed by alice, bob now (before: by alice).",
    )
    assert reader.refresh().find_released("v1").signers == ("alice", "bob")


def test_an_orphaned_delegation_is_revived(lead: Person, owner: Owner, reader: Reader) -> None:
    new = lead.holding(owner, "bob").key("alice")
    lead.repository().replace_signer_keys("alice", [PrivateKey.generate().public], force=True)
    lead.repository().add_signer("alice", [new.public])
    published = lead.repository().witness(["targets/alice"])
    assert "What targets/alice signed counts again." in published.changes
    assert reader.refresh().find_released("v2").signers == ("alice",)


def test_a_file_nobody_ever_signed_is_not_signed_either(
    person: Person, owner: Owner, simulator: Simulator, reader: Reader
) -> None:
    """The server alone could put tags there and wait for somebody to witness them."""
    planted = replace(owner.files["targets/bob"], version=9, targets={"evil": target("evil")})
    owner.put({"targets/bob": signed_by(planted, PrivateKey.generate())})
    before = len(simulator.posted)
    with pytest.raises(CannotSign, match="Nothing shows"):
        person.holding(owner, "bob").repository().witness(["targets/bob"])
    assert len(simulator.posted) == before
    assert isinstance(reader.refresh().left_out["targets/bob"], UnmetThreshold)


def test_a_file_that_cannot_be_read_is_not_signed_anew(person: Person, owner: Owner, reader: Reader) -> None:
    key = owner.signer_keys["bob"]
    broken = {**owner.files["targets/bob"].to_signed(), "version": 9, "targets": []}
    payload = Envelope.build(broken, ()).payload
    owner.put({"targets/bob": Envelope.build(broken, (key.signature(key.key_id, payload),))})
    assert "targets/bob" in reader.refresh().left_out
    with pytest.raises(CannotSign, match="cannot be signed anew"):
        person.holding(owner, "bob").repository().witness(["targets/bob"])
    person.repository().sign([target("v3")])
    assert reader.refresh().find_released("v3").signers == ("bob",)


def test_expired_targets_are_signed_anew(lead: Person, owner: Owner, reader: Reader, clock: Clock) -> None:
    """docker and notary can neither read nor write then."""
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, expires=clock() - timedelta(days=1))})
    with pytest.raises(ExpiredMetadata):
        lead.repository().add_signer("carol", [PrivateKey.generate().public])
    published = lead.repository().witness([roles.TARGETS])
    assert set(published.versions) == {"targets"}
    assert tags(reader) == ["v0", "v1", "v2"]


def test_an_expired_root_is_signed_anew(lead: Person, owner: Owner, newcomer: Reader, clock: Clock) -> None:
    expired = replace(owner.root, version=2, expires=clock() - timedelta(hours=1))
    owner.root = expired
    owner.put({roles.ROOT: owner.signed_root()})
    with pytest.raises(ExpiredMetadata):
        newcomer.refresh()
    lead.repository().witness([roles.ROOT])
    assert newcomer.refresh().root.expires > clock() + timedelta(days=3600)


def test_a_witnessed_file_holds_for_longer(person: Person, owner: Owner, clock: Clock) -> None:
    clock.advance(days=10)
    published = person.holding(owner, "alice").repository().witness([roles.RELEASES])
    assert published.versions == {"targets/releases": 3}
    assert published.changes == ("targets/releases was signed anew and holds until 03 December 2029.",)


@pytest.mark.parametrize("name", ["timestamp", "snapshot", "nonsense", "targets/../root"])
def test_what_cannot_be_witnessed(lead: Person, name: str) -> None:
    with pytest.raises(InvalidName):
        lead.repository().witness([name])


# rotation


@pytest.mark.parametrize("role", [roles.ROOT, roles.TARGETS, roles.SNAPSHOT])
def test_a_base_role_gets_a_new_key(lead: Person, owner: Owner, reader: Reader, newcomer: Reader, role: str) -> None:
    before = reader.refresh()
    published = lead.repository().rotate(role)
    for client in (reader, newcomer):
        after = client.refresh()
        assert after.root.version == before.root.version + 1
        assert after.root.roles[role] != before.root.roles[role]
        assert [row.tag for row in after.released()] == ["v0", "v1", "v2"]
    assert "key is" in published.changes[0]
    lead.repository().add_signer("carol", [PrivateKey.generate().public])


@pytest.mark.parametrize("role", [roles.SNAPSHOT, roles.TIMESTAMP])
def test_the_server_makes_the_new_key(lead: Person, reader: Reader, simulator: Simulator, role: str) -> None:
    before = reader.refresh().root.roles[role]
    lead.repository().rotate(role, to_server=True)
    assert reader.refresh().root.roles[role] != before
    assert "snapshot" not in simulator.posted[-1]


def test_a_server_that_makes_no_key(lead: Person, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_gun: str, _role: str) -> PublicKey:
        raise ServerUnreachable("no answer")

    monkeypatch.setattr(simulator, "rotate_key", refuse)
    posted = len(simulator.posted)
    with pytest.raises(ServerUnreachable):
        lead.repository().rotate(roles.SNAPSHOT, to_server=True)
    assert len(simulator.posted) == posted


def test_the_snapshot_key_goes_to_the_client_and_back(lead: Person, owner: Owner, reader: Reader) -> None:
    lead.repository().rotate(roles.SNAPSHOT)
    lead.holding(owner, "alice").repository().sign([target("v3")])
    lead.repository().rotate(roles.SNAPSHOT, to_server=True)
    lead.repository().sign([target("v4")])
    assert tags(reader) == ["v0", "v1", "v2", "v3", "v4"]


def test_clients_several_roots_behind_follow(lead: Person, reader: Reader) -> None:
    for _ in range(3):
        lead.repository().rotate(roles.ROOT)
    assert reader.refresh().root.version == 4


def test_a_given_key_becomes_root(lead: Person, owner: Owner, reader: Reader) -> None:
    """The same key with a new certificate is how the certificate's end is put off."""
    lead.repository().rotate(roles.ROOT, [owner.root_key])
    (key,) = reader.refresh().root.role(roles.ROOT).keys.values()
    assert key.canonical_id == owner.root_key.key_id
    assert key.key_id != owner.certificate.key_id


def test_rotation_needs_the_root_key(person: Person, owner: Owner, simulator: Simulator) -> None:
    for role, to_server in ((roles.ROOT, False), (roles.TARGETS, False), (roles.TIMESTAMP, True)):
        with pytest.raises(CannotSign):
            person.holding(owner, "targets").repository().rotate(role, to_server=to_server)
    assert [info.role for info in person.keys.list()] == ["targets"], "no key was made in vain"
    assert not any("key" in name for name in simulator.asked if name.startswith("POST "))


@pytest.mark.parametrize(
    ("role", "to_server"), [("root", True), ("targets", True), ("timestamp", False), ("targets/alice", False)]
)
def test_where_a_key_cannot_be(lead: Person, role: str, to_server: bool) -> None:
    with pytest.raises(InvalidInput):
        lead.repository().rotate(role, to_server=to_server)


# a root near its end


def test_a_root_near_its_end_is_renewed_by_the_way(person: Person, owner: Owner, clock: Clock, reader: Reader) -> None:
    owner.root = replace(owner.root, version=2, expires=clock() + timedelta(days=100))
    owner.put({roles.ROOT: owner.signed_root()})
    published = person.holding(owner, "alice").repository().sign([target("v3")])
    assert "root" not in published.versions
    assert any("root" in text and "expires on" in text for text in published.warnings)
    published = person.holding(owner, "root").repository().sign([target("v4")])
    assert published.versions["root"] == 3
    assert not published.warnings
    assert reader.refresh().root.version == 3


def test_a_root_certificate_near_its_end_is_told(person: Person, owner: Owner, clock: Clock) -> None:
    clock.advance(days=3650 - 100)
    owner.put({"root": owner.next_root(owner.certificate, expires=clock() + timedelta(days=3650))})
    for role in (roles.TARGETS, roles.RELEASES, "targets/alice", "targets/bob"):
        owner.put({role: owner.next_file(role)})
    published = person.holding(owner, "alice").repository().sign([target("v3")])
    assert any("root certificate" in text for text in published.warnings)


# initialise, delete


def test_a_repository_without_signers(person: Person, simulator: Simulator) -> None:
    published = person.repository().initialise()
    assert published.versions == {"root": 1, "targets": 2}
    assert person.repository().initialise().versions == {}
    person.repository().sign([target("v1")])


def test_a_deleted_repository_is_gone_and_can_be_made_anew(lead: Person, simulator: Simulator) -> None:
    repository = lead.repository()
    repository.refresh()
    assert repository.delete() is True
    with pytest.raises(NoTrustData):
        repository.refresh()
    assert repository.delete() is False
    repository.initialise()


def test_a_server_that_only_says_it_deleted(lead: Person, simulator: Simulator) -> None:
    simulator.delete = lambda gun: None  # type: ignore[method-assign,assignment]
    with pytest.raises(PublishRejected):
        lead.repository().delete()
