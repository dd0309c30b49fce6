"""The next state of targets files, change by change."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signing.trust.errors import MalformedMetadata, NotFound
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.changelist import Change
from signing.trust.notary.draft import TARGETS_LIFETIME, Draft
from signing.trust.tuf.metadata import Delegation, Targets
from tests.simulator import NOON
from tests.unit.trust.notary.people import target

ALICE, BOB = PrivateKey.generate().public, PrivateKey.generate().public
LATER = NOON + timedelta(days=100)


def files() -> dict[str, Targets]:
    """Alice has a role with one tag; releases has alice's key."""
    delegations = (
        Delegation("targets/alice", (ALICE.key_id,), 1, ("",)),
        Delegation("targets/releases", (ALICE.key_id,), 1, ("",)),
    )
    return {
        "targets": Targets(version=4, expires=LATER, keys={ALICE.key_id: ALICE}, delegations=delegations),
        "targets/alice": Targets(version=7, expires=LATER, targets={"v1": target("v1")}),
    }


def changed(*changes: Change, **more: dict[str, Targets]) -> dict[str, Targets]:
    draft = Draft({**files(), **more.get("files", {})}, NOON, set_aside=more.get("set_aside", {}))
    for change in changes:
        draft.apply(change)
    return draft.changed


@pytest.mark.parametrize(
    "change",
    [
        Change.set_target("targets/alice", target("v1")),
        Change.remove_target("targets/alice", "v9"),
        Change.remove_target("targets/releases", "v9"),
        Change.add_delegation("targets/alice", [ALICE], [""]),
        Change.edit_delegation("targets/alice", remove_keys=[BOB.key_id], remove_paths=["x"], threshold=1),
        Change.remove_delegation("targets/absent"),
        Change.remove_delegation("targets/absent/below"),
        Change.purge([BOB.key_id]),
    ],
)
def test_what_is_true_already_changes_nothing(change: Change) -> None:
    assert changed(change) == {}


def test_a_changed_file_gets_the_next_version_and_a_new_expiry() -> None:
    made = changed(Change.set_target("targets/alice", target("v2")), Change.set_target("targets/alice", target("v3")))
    assert {name: (file.version, file.expires) for name, file in made.items()} == {
        "targets/alice": (8, NOON + TARGETS_LIFETIME)
    }
    assert set(made["targets/alice"].targets) == {"v1", "v2", "v3"}


def test_the_first_tag_makes_the_file() -> None:
    assert changed(Change.set_target("targets/releases", target("v1")))["targets/releases"].version == 1


def test_a_key_is_not_listed_in_two_forms() -> None:
    key = PrivateKey.generate()
    certificate = root_certificate(key, "alice", NOON)
    made = changed(Change.add_delegation("targets/qa", [key.public, certificate], ["", ""]))
    item = made["targets"].delegation("targets/qa")
    assert item == Delegation("targets/qa", (key.key_id,), 1, ("",))


def test_keys_nobody_names_any_more_go() -> None:
    made = changed(Change.purge([ALICE.key_id]))["targets"]
    assert made.keys == {}
    assert [item.keyids for item in made.delegations] == [(), ()]


def test_a_removed_delegation_takes_its_file_and_those_below_along() -> None:
    below = {"targets/alice/tools": Targets(version=1, expires=LATER)}
    changes = [Change.set_target("targets/alice", target("v2")), Change.remove_delegation("targets/alice")]
    assert set(changed(*changes, files=below)) == {"targets"}


def test_the_threshold_of_an_existing_delegation_stays_when_keys_are_added() -> None:
    made = changed(
        Change.edit_delegation("targets/alice", threshold=2), Change.add_delegation("targets/alice", [BOB], [])
    )
    item = made["targets"].delegation("targets/alice")
    assert item is not None
    assert (item.keyids, item.threshold) == ((ALICE.key_id, BOB.key_id), 2)


def test_a_file_set_aside() -> None:
    aside = {"targets/releases": Targets(version=5, expires=LATER, targets={"old": target("old")})}
    witnessed = changed(Change.witness("targets/releases"), set_aside=aside)["targets/releases"]
    assert (witnessed.version, set(witnessed.targets)) == (6, {"old"})
    anew = changed(Change.set_target("targets/releases", target("v1")), set_aside=aside)["targets/releases"]
    assert (anew.version, set(anew.targets)) == (6, {"v1"})
    cleared = changed(Change.clear("targets/releases"), set_aside=aside)["targets/releases"]
    assert (cleared.version, set(cleared.targets)) == (6, set())


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (Change.set_target("root", target("v1")), MalformedMetadata),
        (Change.set_target("targets/../root", target("v1")), MalformedMetadata),
        (Change.add_delegation("targets", [ALICE], [""]), MalformedMetadata),
        (Change("create", "targets/*", "delegation", "", {}), MalformedMetadata),
        (Change("delete", "targets/alice", "witness"), MalformedMetadata),
        (Change("update", "targets/alice", "delegation", "", []), MalformedMetadata),
        (Change("create", "targets/alice", "delegation", "", {"threshold": "2"}), MalformedMetadata),
        (Change("create", "targets/alice", "delegation", "", {"add_keys": "x"}), MalformedMetadata),
        (Change("create", "targets/alice", "delegation", "", {"add_keys": [{}]}), MalformedMetadata),
        (Change("create", "targets/alice", "delegation", "", {"add_paths": [1]}), MalformedMetadata),
        (Change("create", "targets", "target", "v1", {"length": -1}), MalformedMetadata),
        (Change.set_target("targets/absent", target("v1")), NotFound),
        (Change.witness("targets/absent"), NotFound),
        (Change.edit_delegation("targets/absent", threshold=1), NotFound),
    ],
)
def test_what_cannot_be_applied(change: Change, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        changed(change)
