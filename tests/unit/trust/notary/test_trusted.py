"""What counts as released, by docker's rules."""

from __future__ import annotations

import pytest

from signing.trust.errors import NoSuchTarget
from signing.trust.tuf import roles
from tests.simulator import Owner
from tests.unit.trust.notary.conftest import Reader, digest


def test_a_tag_only_a_signer_has_is_not_released(newcomer: Reader, owner: Owner) -> None:
    owner.add_target("targets/alice", "v9", digest("nine"))
    owner.publish({"targets/alice": owner.next_file("targets/alice")})

    trusted = newcomer.refresh()

    assert "v9" not in [row.tag for row in trusted.released()]
    with pytest.raises(NoSuchTarget, match="alice signed it, but it was not released"):
        trusted.find_released("v9")
    with pytest.raises(NoSuchTarget):
        trusted.find_digest(digest("nine"))


def test_a_signer_of_another_digest_does_not_stand_behind_it(newcomer: Reader, owner: Owner) -> None:
    owner.add_target("targets/bob", "v2", digest("something else"))
    owner.publish({"targets/bob": owner.next_file("targets/bob")})
    assert newcomer.refresh().find_released("v2").signers == ("alice",)


def test_releases_win_over_targets(newcomer: Reader, owner: Owner) -> None:
    owner.sign("v1", digest("by the repository key"))
    trusted = newcomer.refresh()

    assert trusted.find_released("v1").digest_hex == digest("one")
    rows = [(row.digest_hex, row.signers) for row in trusted.released("v1")]
    assert sorted(rows) == sorted([(digest("one"), ("alice", "bob")), (digest("by the repository key"), ())])
    assert trusted.find_digest(digest("one")).tag == "v1"
    with pytest.raises(NoSuchTarget):
        trusted.find_digest(digest("by the repository key"))


def test_a_tag_outside_the_paths_is_listed_but_never_found(newcomer: Reader, owner: Owner) -> None:
    """docker lists such an entry in the whole repository, and neither shows nor pulls it by name."""
    owner.add_signer("carol", paths=("stable-",))
    for tag in ("stable-1", "edge-1"):
        owner.add_target("targets/carol", tag, digest(tag))
        owner.add_target(roles.RELEASES, tag, digest(tag))
    owner.publish({name: owner.next_file(name) for name in ("targets/carol", roles.RELEASES)})
    trusted = newcomer.refresh()

    assert trusted.find_released("stable-1").signers == ("carol",)
    assert trusted.find_released("edge-1").signers == ()
    listed = {row.tag: row.signers for row in trusted.released()}
    assert listed["edge-1"] == ("carol",)


def test_releases_outside_their_paths_release_nothing(newcomer: Reader, owner: Owner) -> None:
    file = owner.files[roles.TARGETS]
    narrowed = tuple(
        type(item)(item.name, item.keyids, item.threshold, ("v2",)) if item.name == roles.RELEASES else item
        for item in file.delegations
    )
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=narrowed)})
    trusted = newcomer.refresh()

    assert trusted.find_released("v2")
    with pytest.raises(NoSuchTarget):
        trusted.find_released("v1")
    with pytest.raises(NoSuchTarget):
        trusted.find_digest(digest("one"))
    assert trusted.released("v1") == []


def test_a_childs_paths_are_those_its_parent_may_give(newcomer: Reader, owner: Owner) -> None:
    owner.add_signer("carol", paths=("stable-",))
    owner.add_signer("carol/deep", paths=("", "stable-2"))
    for role in ("targets/carol/deep", roles.RELEASES):
        for tag in ("stable-2", "stable-3", "v1"):
            owner.add_target(role, tag, digest(tag))
    owner.add_target("targets/carol", "stable-0", digest("x"))
    names = ("targets/carol", "targets/carol/deep", roles.RELEASES)
    owner.publish({name: owner.next_file(name) for name in names})
    trusted = newcomer.refresh()

    assert trusted.find_released("stable-2").signers == ("carol/deep",)
    assert trusted.find_released("stable-3").signers == ()
    assert trusted.find_released("v1").signers == ()
    assert ("carol/deep", [owner.signer_keys["carol/deep"].key_id]) in trusted.signers()


def test_a_role_without_paths_can_hold_nothing(newcomer: Reader, owner: Owner) -> None:
    owner.add_signer("carol", paths=())
    owner.add_target("targets/carol", "v1", digest("one"))
    owner.publish({"targets/carol": owner.next_file("targets/carol")})
    assert newcomer.refresh().find_released("v1").signers == ("alice", "bob")


def test_an_unsigned_tag_is_not_found(newcomer: Reader) -> None:
    with pytest.raises(NoSuchTarget, match="'nothing' is not signed"):
        newcomer.refresh().find_released("nothing")


def test_signers_come_in_the_order_of_delegation(newcomer: Reader, owner: Owner) -> None:
    owner.add_signer("aaron")
    assert [name for name, _ in newcomer.refresh().signers()] == ["alice", "bob", "aaron"]
