"""What an archive proves, and that whatever is wrong with it is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from signing.trust.errors import MissingVersion, Rollback, UnmetThreshold, UntrustedRoot
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History
from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.numbers import missing_in
from signing.trust.evidence.shelf import describe
from signing.trust.notary.gun import Gun
from signing.trust.notary.root_rules import read_root
from signing.trust.tuf.metadata import Delegation
from tests.simulator import GUN, Clock, Owner, Simulator, signed_by
from tests.unit.trust.evidence.conftest import Keeper, digest


def story(history: History) -> list[tuple[str, ...]]:
    """Give the events as a script would be written."""
    return [
        tuple(part for part in (event.kind, event.signer, event.tag, event.digest[:6], event.role) if part)
        for event in history.events
    ]


def periods(history: History) -> list[tuple[Any, ...]]:
    return [(p.tag, p.digest, p.signer, p.first, p.last, p.ended) for p in history.periods]


@pytest.fixture
def past(owner: Owner, clock: Clock) -> Owner:
    """Alice signs v1, signs it anew a day later, Bob joins and stands behind it; v2 is revoked; the root is rotated."""
    owner.add_signer("alice")
    clock.advance(days=1)
    owner.sign("v1", digest("one"), "alice")
    clock.advance(days=1)
    owner.sign("v1", digest("two"), "alice")
    owner.sign("v2", digest("three"), "alice")
    clock.advance(days=1)
    owner.add_signer("bob")
    owner.sign("v1", digest("two"), "alice", "bob")
    for role in ("targets/releases", "targets/alice"):
        held = owner.files[role]
        owner.files[role] = replace(held, targets={tag: item for tag, item in held.targets.items() if tag != "v2"})
    owner.publish({role: owner.next_file(role) for role in ("targets/releases", "targets/alice")})
    clock.advance(days=1)
    owner.publish({"root": owner.rotate_root()})
    return owner


def test_the_timeline_is_the_script_of_what_was_done(past: Owner, keeper: Keeper) -> None:
    keeper.take()

    history = keeper.judge()

    one, two, three = (digest(name)[:6] for name in ("one", "two", "three"))
    assert story(history) == [
        ("initialised",),
        ("signer added", "alice"),
        ("signed", "alice", "v1", one),
        ("signed", "alice", "v1", two),
        ("signed", "alice", "v2", three),
        ("signer added", "bob"),
        ("signed", "bob", "v1", two),
        ("revoked", "alice", "v2", three),
        ("key rotated", "root"),
    ]
    assert history.is_proven
    assert not history.gaps


def test_every_period_says_who_stood_behind_what_and_how_it_ended(past: Owner, keeper: Keeper) -> None:
    keeper.take()

    history = keeper.judge()

    one, two, three = (digest(name) for name in ("one", "two", "three"))
    assert periods(history) == [
        ("v1", one, "alice", 3, 4, f"replaced by {two}"),
        ("v1", two, "alice", 4, None, ""),
        ("v2", three, "alice", 5, 8, "revoked"),
        ("v1", two, "bob", 7, None, ""),
    ]
    first = history.periods[0]
    assert first.to is not None
    assert (first.to - first.start).days == 1
    assert first.file is not None
    assert (first.file.role, first.file.version) == ("targets/alice", 1)


def test_times_are_read_from_the_timestamps(past: Owner, keeper: Keeper, clock: Clock) -> None:
    started = clock()
    keeper.take()

    history = keeper.judge()

    assert history.events[-1].at == started
    assert history.vouched_until is not None
    assert (history.vouched_until - started).days == 14


def test_a_pinned_root_carries_all_that_follows_it(past: Owner, keeper: Keeper) -> None:
    first_key = past.simulator.files[past.gun]["1.root.json"]
    keeper.take()

    pinned = keeper.judge(root_key_of(first_key))

    assert pinned.is_pinned
    assert pinned.is_proven
    assert not pinned.unproven
    assert [key.key_id for key in pinned.root_keys] == [past.certificate.key_id]


def test_what_came_before_the_pinned_root_is_not_proven_and_said_to_be_so(past: Owner, keeper: Keeper) -> None:
    keeper.take()

    history = keeper.judge(past.certificate.canonical_id)

    assert history.is_proven
    assert len(history.unproven) == 8
    assert [period[:4] for period in periods(history)] == [
        ("v1", digest("two"), "alice", 9),
        ("v1", digest("two"), "bob", 9),
    ]


def test_a_pin_that_fits_no_root_proves_nothing(past: Owner, keeper: Keeper) -> None:
    keeper.take()

    history = keeper.judge("ab" * 32)

    assert not history.is_proven
    assert isinstance(history.problems[0].error, UntrustedRoot)
    assert not history.periods


@pytest.mark.parametrize(
    "role_version",
    [
        ("root", 1),
        ("root", 2),
        ("timestamp", 1),
        ("timestamp", 5),
        ("timestamp", 9),
        ("snapshot", 5),
        ("targets", 2),
        ("targets/alice", 1),
        ("targets/releases", 2),
    ],
    ids=lambda item: f"{item[0]}-{item[1]}",
)
def test_one_changed_byte_of_what_is_signed_is_found_and_named(
    past: Owner, keeper: Keeper, role_version: tuple[str, int]
) -> None:
    keeper.take()

    def change(file: StoredFile, data: bytes) -> bytes:
        if (file.role, file.version) != role_version:
            return data
        at = data.index(b'"expires":"20') + 14
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    keeper.rewrite(change)
    history = keeper.judge()

    assert not history.is_proven
    assert any(problem.file.startswith(role_version[0]) for problem in history.problems), history.problems


@pytest.mark.parametrize(
    ("role", "version"),
    [("root", 1), ("timestamp", 4), ("snapshot", 4), ("targets", 3), ("targets/alice", 2), ("targets/releases", 1)],
)
def test_a_missing_version_is_found_and_named(past: Owner, keeper: Keeper, role: str, version: int) -> None:
    keeper.take()

    keeper.rewrite(lambda file, data: None if (file.role, file.version) == (role, version) else data)
    history = keeper.judge()

    found = [problem for problem in history.problems if isinstance(problem.error, MissingVersion)]
    assert found, history.problems
    assert any(f"{role} {version}" in problem.error.message for problem in found), found


def test_nothing_is_claimed_across_a_state_that_is_not_proven(past: Owner, keeper: Keeper) -> None:
    keeper.take()

    keeper.rewrite(lambda file, data: None if (file.role, file.version) == ("snapshot", 6) else data)
    history = keeper.judge()

    two = digest("two")
    alice = [period[3:] for period in periods(history) if period[:3] == ("v1", two, "alice")]
    assert alice == [(4, 5, "not proven after this"), (7, None, "")]
    assert ("proven again", "alice", "v1", two[:6]) in story(history)


def test_a_file_its_server_lost_is_a_gap_and_no_fault(past: Owner, keeper: Keeper, simulator: Simulator) -> None:
    del simulator.files[past.gun]["2.timestamp.json"]
    keeper.take()

    history = keeper.judge()

    assert history.is_proven
    assert history.gaps == ["timestamp 2"]


def test_a_signer_without_enough_signatures_does_not_count_from_then_on(owner: Owner, keeper: Keeper) -> None:
    owner.add_signer("alice")
    owner.sign("v1", digest("one"), "alice")
    stranger = owner.signer_keys["alice"]
    owner.add_signer("bob")
    held = owner.files["targets"]
    only_bob = tuple(
        Delegation(item.name, tuple(k for k in item.keyids if k != stranger.key_id), item.threshold, item.paths)
        for item in held.delegations
        if item.name != "targets/alice"
    )
    owner.files["targets"] = replace(held, delegations=only_bob)
    owner.publish({"targets": owner.next_file("targets")})
    keeper.take()

    history = keeper.judge()

    assert ("signer removed", "alice") in story(history)
    assert ("stopped counting", "targets/releases") in story(history)
    assert [period[5] for period in periods(history)] == ["releases stopped counting"]
    assert history.is_proven


def test_a_forged_signature_proves_nothing(past: Owner, keeper: Keeper, simulator: Simulator) -> None:
    forged = replace(past.files["targets/alice"], version=9)
    simulator.put(past.gun, "targets/alice", signed_by(forged, past.root_key))
    simulator.put_snapshot(past.gun)
    keeper.take()

    history = keeper.judge()

    assert ("stopped counting", "targets/alice") in story(history)
    assert history.last is not None
    assert isinstance(history.last.trusted.left_out["targets/alice"], UnmetThreshold)


def test_a_server_that_goes_back_is_named(past: Owner, keeper: Keeper, simulator: Simulator, clock: Clock) -> None:
    clock.advance(days=1)
    older = replace(past.files["targets/releases"], version=1)
    simulator.put(past.gun, "targets/releases", signed_by(older, *past.keys_of("targets/releases")))
    simulator.put_snapshot(past.gun)
    keeper.take()

    history = keeper.judge()

    assert any(isinstance(problem.error, Rollback) for problem in history.problems)


def test_a_replaced_root_is_named_and_what_hangs_on_it_not_proven(
    past: Owner, keeper: Keeper, simulator: Simulator, clock: Clock
) -> None:
    stranger = Owner(simulator, clock)
    simulator.put(past.gun, "root", signed_by(replace(stranger.root, version=3), stranger.root_key))
    simulator.put_snapshot(past.gun)
    keeper.take()

    history = keeper.judge()

    assert {type(problem.error) for problem in history.problems} & {UntrustedRoot, UnmetThreshold}
    assert history.last is not None
    assert history.last.timestamp.version == 9


def test_a_repository_made_again_after_deletion_keeps_both_pasts(
    past: Owner, keeper: Keeper, simulator: Simulator, clock: Clock
) -> None:
    keeper.take()
    simulator.delete(past.gun)
    clock.advance(days=1)
    again = Owner(simulator, clock).initialise()
    again.add_signer("carol")
    again.sign("v1", digest("other"), "carol")
    keeper.take()

    history = keeper.judge()

    assert ("signed", "carol", "v1", digest("other")[:6]) in story(history)
    assert ("signed", "alice", "v1", digest("one")[:6]) in story(history)
    assert any(isinstance(problem.error, Rollback) for problem in history.problems)


def root_key_of(data: bytes) -> str:
    (keyid,) = read_root(data).root.roles["root"].keyids
    return keyid


@pytest.mark.parametrize("role", ["timestamp", "root", "targets/alice", "snapshot"])
def test_a_version_beyond_counting_does_not_make_anybody_count(
    past: Owner, keeper: Keeper, simulator: Simulator, role: str
) -> None:
    keeper.take()
    huge = replace(past.files["targets/alice"], version=2**53 - 1)
    forged = signed_by(huge, *past.keys_of("targets/alice")).raw
    with Archive(keeper.path) as archive:
        record = archive.manifest.repositories[Gun(GUN)]
        files = {file: archive.read(GUN, file) for file in record.files}
    files[describe(role, forged)] = forged
    keeper.write(replace(record, files=frozenset(files)), lambda _, file: files[file])

    history = keeper.judge()

    assert history.last is not None
    assert history.last.timestamp.version == 9


def test_gaps_are_told_as_ranges() -> None:
    assert list(missing_in("root", [2, 3, 7, 2**53])) == ["root 1", "root 4 to 6", f"root 8 to {2**53 - 1}"]
    assert list(missing_in("root", [5, 6], start=5)) == []
    assert list(missing_in("root", [])) == []
