"""What a trust server takes, refuses and makes by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from signing.trust.errors import (
    CannotSign,
    ExpiredMetadata,
    InvalidName,
    MalformedMetadata,
    PublishRejected,
    VersionConflict,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.tuf.metadata import Envelope, FileMeta, RoleKeys, Root, Snapshot, Timestamp
from tests.unit.trust.notary.publisher import DAY, GUN, NOW, Publisher, Shelf, delegation, sign, tag

Update = dict[str, bytes]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def owner(shelf: Shelf) -> Publisher:
    """An owner who leaves the snapshot to the server, as docker does."""
    return Publisher(snapshot=shelf.keys.public("snapshot"), timestamp=shelf.keys.public("timestamp"))


@pytest.fixture
def keeper(shelf: Shelf) -> Publisher:
    """An owner who signs snapshots alone, as after `notary init`."""
    return Publisher(timestamp=shelf.keys.public("timestamp"))


# Taken


def test_a_first_publish_gets_a_snapshot_and_a_timestamp(shelf: Shelf, owner: Publisher) -> None:
    assert shelf.publish(owner.first()) == ["targets", "root", "snapshot", "timestamp"]
    assert shelf.versions() == {"root": 1, "targets": 2, "snapshot": 1, "timestamp": 1}
    snapshot = shelf.files["snapshot"].data
    assert shelf.read("timestamp", Timestamp.from_signed).snapshot == FileMeta.of(snapshot)
    assert set(shelf.read("snapshot", Snapshot.from_signed).meta) == {"root", "targets"}


def test_what_the_server_signs_holds_under_the_root(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    root = owner.root_metadata()
    for role in ("snapshot", "timestamp"):
        root.role(role).require_threshold(Envelope.parse(shelf.files[role].data))


def test_a_delegation_is_listed_with_the_files_before_it(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    shelf.publish({"targets/alice": owner.tags(), "targets/releases": owner.tags(owner.bob)})
    assert shelf.versions()["snapshot"] == 2
    listed = shelf.read("snapshot", Snapshot.from_signed).meta
    assert set(listed) == {"root", "targets", "targets/alice", "targets/releases"}


@pytest.mark.parametrize("odd", [json.dumps, lambda value: json.dumps(value, indent=1) + "\n"])
def test_hashes_are_those_of_the_bytes_sent(shelf: Shelf, owner: Publisher, odd: Callable[[object], str]) -> None:
    shelf.publish(owner.first())
    sent = odd(json.loads(owner.tags())).encode()
    shelf.publish({"targets/alice": sent})
    assert shelf.files["targets/alice"].data == sent
    listed = shelf.read("snapshot", Snapshot.from_signed).meta["targets/alice"]
    assert (listed.sha256, listed.length) == (hashlib.sha256(sent).hexdigest(), len(sent))


def test_an_empty_update_makes_a_new_snapshot_and_timestamp(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    assert shelf.publish({}) == ["snapshot", "timestamp"]
    assert shelf.versions() == {"root": 1, "targets": 2, "snapshot": 2, "timestamp": 2}


def test_a_clients_timestamp_is_refused(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    forged = Timestamp(version=99, expires=NOW + DAY, meta={"snapshot": FileMeta.of(b"x")})
    with pytest.raises(PublishRejected, match="the timestamp is made by the server"):
        shelf.publish({"timestamp": sign(forged.to_signed(), owner.targets_key)})
    assert shelf.versions()["timestamp"] == 1


def test_versions_may_skip_some_numbers_and_not_the_rest_of_them(shelf: Shelf, owner: Publisher) -> None:
    """Notary takes a jump to the last number, and then nobody can publish the role again."""
    shelf.publish(owner.first())
    shelf.publish({"targets": owner.targets(1002)})
    with pytest.raises(PublishRejected, match="version cannot be more than 2002 now"):
        shelf.publish({"targets": owner.targets(2003)})
    shelf.publish({"targets": owner.targets(2002)})


def test_who_publishes_again_after_a_deletion_goes_on_counting(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first() | {"targets": owner.targets(4711)})
    assert shelf.versions()["targets"] == 4711


def test_a_client_may_sign_the_snapshot_itself(shelf: Shelf, keeper: Publisher) -> None:
    files = keeper.first()
    assert shelf.publish(files | {"snapshot": keeper.snapshot_of(files)})[-2:] == ["snapshot", "timestamp"]
    assert shelf.versions()["snapshot"] == 2


def test_the_snapshot_key_may_move_to_the_server(shelf: Shelf, keeper: Publisher) -> None:
    files = keeper.first()
    shelf.publish(files | {"snapshot": keeper.snapshot_of(files, version=7)})
    shelf.publish({"root": keeper.root(2, snapshot=shelf.keys.public("snapshot"))})
    assert shelf.versions() == {"root": 2, "targets": 2, "snapshot": 8, "timestamp": 2}


def test_a_root_rotation_is_signed_by_both_keys(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    key = PrivateKey.generate()
    certificate = root_certificate(key, GUN, NOW)
    root = owner.root_metadata(2, root=certificate).to_signed()
    with pytest.raises(PublishRejected, match="current trusted certificates"):
        shelf.publish({"root": sign(root, (key, certificate))})
    with pytest.raises(PublishRejected, match="integrity of roots"):
        shelf.publish({"root": sign(root, (owner.root_key, owner.certificate))})
    shelf.publish({"root": sign(root, (owner.root_key, owner.certificate), (key, certificate))})
    assert shelf.versions()["root"] == 2


def test_the_targets_key_is_rotated_together_with_its_file(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    key = PrivateKey.generate()
    root = owner.root(2, targets=key.public)
    with pytest.raises(PublishRejected, match="threshold for targets"):
        shelf.publish({"root": root})  # would leave a repository that no client can read
    shelf.publish({"root": root, "targets": sign(owner.targets_metadata(3).to_signed(), key)})
    assert shelf.versions()["targets"] == 3


def test_the_last_key_of_a_delegation_may_go(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    signed = owner.targets_metadata(3).to_signed()
    signed["delegations"]["roles"][1]["keyids"] = None  # as Go writes it
    shelf.publish({"targets": sign(signed, owner.targets_key)})
    assert shelf.versions()["targets"] == 3


def test_a_key_may_be_taken_from_a_delegation_that_needs_two(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    narrowed = (delegation("targets/releases", [owner.bob], threshold=2),)
    shelf.publish({"targets": owner.targets(3, delegations=narrowed)})
    with pytest.raises(PublishRejected, match="threshold for targets/releases"):
        shelf.publish({"targets/releases": owner.tags(owner.bob)})


def test_a_deleted_delegation_stays_in_the_snapshot(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    shelf.publish({"targets/alice": owner.tags()})
    shelf.publish({"targets": owner.targets(3, delegations=())})
    assert "targets/alice" in shelf.read("snapshot", Snapshot.from_signed).meta
    with pytest.raises(PublishRejected, match="delegation does not exist"):
        shelf.publish({"targets/alice": owner.tags(version=2)})
    shelf.publish({"targets": owner.targets(4)})
    shelf.publish({"targets/alice": owner.tags(version=2)})


def test_nested_delegations_are_checked_from_the_top(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    nested = (delegation("targets/alice/ci", [owner.bob]),)
    parent = owner.tags(keys={owner.bob.key_id: owner.bob.public}, delegations=nested)
    with pytest.raises(PublishRejected, match="targets/alice is neither stored"):
        shelf.publish({"targets/alice/ci": owner.tags(owner.bob)})
    shelf.publish({"targets/alice/ci": owner.tags(owner.bob), "targets/alice": parent})
    shelf.publish({"targets/alice/ci": owner.tags(owner.bob, version=2)})
    assert shelf.versions()["targets/alice/ci"] == 2


def test_an_expired_parent_does_not_stop_its_signers(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    shelf.now += 1001 * DAY
    shelf.publish({"targets/alice": owner.tags(expires=shelf.now + DAY)})
    shelf.publish({"targets": owner.targets(3, expires=shelf.now + DAY)})


# Refused


FIRST_REFUSALS: dict[str, tuple[Callable[[Publisher], Update], str, str]] = {
    "nothing stored and no root": (
        lambda owner: {"targets": owner.targets()},
        "ErrValidation",
        "no pre-existing root and no root provided in update.",
    ),
    "no targets": (lambda owner: {"root": owner.root()}, "ErrBadHierarchy", "targets is neither stored nor in the"),
    "a root of another GUN": (
        lambda owner: Publisher("other/app", timestamp=owner.timestamp).first(),
        "ErrBadRoot",
        "could not validate the path to a trusted root: unable to retrieve valid leaf certificates",
    ),
    "a root certificate that is over": (
        lambda owner: replace(owner, now=NOW - 3651 * DAY).first(),
        "ErrBadRoot",
        "could not validate the path to a trusted root",
    ),
    "an expired root": (
        lambda owner: owner.first() | {"root": owner.signed_root(replace(owner.root_metadata(), expires=NOW - DAY))},
        "ErrBadRoot",
        "root expired at Mon Nov 23 12:00:00 UTC 2026",
    ),
    "a root signed by another key": (
        lambda owner: owner.first() | {"root": sign(owner.root_metadata().to_signed(), owner.alice)},
        "ErrBadRoot",
        "failed to validate integrity of roots",
    ),
    "a root without certificate": (
        lambda owner: (
            owner.first() | {"root": sign(owner.root_metadata(root=owner.root_key.public).to_signed(), owner.root_key)}
        ),
        "ErrBadRoot",
        "unable to retrieve valid leaf certificates",
    ),
    "a key under another id": (
        lambda owner: owner.first() | {"root": owner.signed_root(with_wrong_id(owner))},
        "ErrBadRoot",
        "key ID is not valid for key content",
    ),
    "a threshold no one can meet": (
        lambda owner: owner.first() | {"root": owner.signed_root(with_threshold(owner, "targets", 2))},
        "ErrBadRoot",
        "targets has fewer keys than the signatures its threshold asks for",
    ),
    "a threshold of nought": (
        lambda owner: owner.first() | {"root": owner.signed_root(with_threshold(owner, "targets", 0))},
        "ErrBadRoot",
        "root type metadata invalid",
    ),
    "a timestamp key of the client's": (
        lambda owner: owner.first() | {"root": owner.root(timestamp=owner.alice.public)},
        "ErrBadRoot",
        "no timestamp keys exist on the server",
    ),
    "a snapshot key of the client's but no snapshot": (
        lambda owner: owner.first() | {"root": owner.root(snapshot=owner.snapshot_key.public)},
        "ErrBadHierarchy",
        "no snapshot was included in update and server does not hold current snapshot key for repository",
    ),
    "targets signed by another key": (
        lambda owner: owner.first() | {"targets": sign(owner.targets_metadata().to_signed(), owner.alice)},
        "ErrBadTargets",
        "valid signatures did not meet threshold for targets",
    ),
    "targets nobody signed": (
        lambda owner: owner.first() | {"targets": sign(owner.targets_metadata().to_signed())},
        "ErrBadTargets",
        "tuf: data has no signatures",
    ),
    "expired targets": (
        lambda owner: owner.first() | {"targets": owner.targets(expires=NOW - timedelta(seconds=1))},
        "ErrBadTargets",
        "targets expired at Tue Nov 24 11:59:59 UTC 2026",
    ),
    "targets of version 0": (
        lambda owner: owner.first() | {"targets": owner.targets(0)},
        "ErrBadTargets",
        "targets type metadata invalid",
    ),
    "a version nobody can exceed": (
        lambda owner: owner.first() | {"targets": owner.targets(2**31)},
        "ErrBadTargets",
        "version cannot be more than",
    ),
    "targets of another type": (
        lambda owner: owner.first() | {"targets": owner.root()},
        "ErrBadTargets",
        "valid signatures did not meet threshold for targets",
    ),
    "a grandchild among the delegations": (
        lambda owner: (
            owner.first() | {"targets": owner.targets(delegations=(delegation("targets/alice/ci", [owner.alice]),))}
        ),
        "ErrBadTargets",
        "delegation role targets/alice/ci invalid",
    ),
    "a signer's key under another id": (
        lambda owner: (
            owner.first()
            | {
                "targets": owner.targets(
                    keys={owner.alice.key_id: owner.bob.public, owner.bob.key_id: owner.bob.public}
                )
            }
        ),
        "ErrBadTargets",
        "key ID is not valid for key content",
    ),
    "a delegation nobody lists": (
        lambda owner: owner.first() | {"targets/zzz": owner.tags()},
        "ErrBadTargets",
        "tuf: invalid role targets/zzz. delegation does not exist",
    ),
    "a signer's file signed by somebody else": (
        lambda owner: owner.first() | {"targets/alice": owner.tags(owner.bob)},
        "ErrBadTargets",
        "valid signatures did not meet threshold for targets/alice",
    ),
}


def with_wrong_id(owner: Publisher) -> Root:
    root = owner.root_metadata()
    keys = {**root.keys, "0" * 64: owner.targets_key.public}
    return replace(root, keys=keys, roles={**root.roles, "targets": RoleKeys(("0" * 64,), 1)})


def with_threshold(owner: Publisher, role: str, threshold: int) -> Root:
    root = owner.root_metadata()
    return replace(root, roles={**root.roles, role: replace(root.roles[role], threshold=threshold)})


@pytest.mark.parametrize("case", FIRST_REFUSALS)
def test_a_first_publish_is_refused_with(case: str, shelf: Shelf, owner: Publisher) -> None:
    make, name, reason = FIRST_REFUSALS[case]
    with pytest.raises(PublishRejected) as refusal:
        shelf.publish(make(owner))
    assert refusal.value.detail["name"] == name
    assert reason in str(refusal.value.detail["reason"])
    assert shelf.files == {}


SNAPSHOT_REFUSALS: dict[str, tuple[Callable[[Publisher, Update], bytes], str]] = {
    "another key": (
        lambda keeper, files: sign(Envelope.parse(keeper.snapshot_of(files)).signed, keeper.alice),
        "valid signatures did not meet threshold for snapshot",
    ),
    "its time over": (
        lambda keeper, files: keeper.snapshot_of(files, expires=NOW - DAY),
        "snapshot expired at Mon Nov 23 12:00:00 UTC 2026",
    ),
    "another hash": (
        lambda keeper, files: keeper.snapshot_of(files | {"targets": b"x" * len(files["targets"])}),
        "sha256 checksum for targets did not match: expected",
    ),
    "another length": (
        lambda keeper, files: keeper.snapshot_of(files | {"root": b"x"}),
        "sha256 checksum for root did not match: expected",
    ),
    "a file it does not list": (
        lambda keeper, files: keeper.snapshot_of({k: v for k, v in files.items() if k != "targets/alice"}),
        "no checksums for supported algorithms were provided for targets/alice",
    ),
    "a file nobody ever sent": (
        lambda keeper, files: keeper.snapshot_of(files | {"targets/bob": b"never sent"}),
        "targets/bob is named but neither sent nor stored",
    ),
    "itself listed": (
        lambda keeper, files: keeper.snapshot_of(files | {"timestamp": b"x"}),
        "timestamp is named but neither sent nor stored",
    ),
}


@pytest.mark.parametrize("case", SNAPSHOT_REFUSALS)
def test_a_clients_snapshot_is_refused_with(case: str, shelf: Shelf, keeper: Publisher) -> None:
    make, reason = SNAPSHOT_REFUSALS[case]
    files = keeper.first() | {"targets/alice": keeper.tags()}
    with pytest.raises(PublishRejected) as refusal:
        shelf.publish(files | {"snapshot": make(keeper, files)})
    assert refusal.value.detail["name"] == "ErrBadSnapshot"
    assert reason in str(refusal.value.detail["reason"])


MALFORMED: dict[str, bytes] = {
    "no JSON": b"nope",
    "another shape": b"{}",
    "a member twice": b'{"signed":{"a":1,"a":2},"signatures":[]}',
    "members nobody signed": b'{"signed":{},"signatures":[],"note":"x"}',
    "a fraction": b'{"signed":{"a":1.5},"signatures":[]}',
    "an abyss": b'{"signed":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b'},"signatures":[]}',
    "an abyss that parses": b'{"signed":{"a":"\\u0007","b":' + b"[" * 900 + b"]" * 900 + b'},"signatures":[]}',
    "a crowd of signatures": b'{"signed":{},"signatures":['
    + b",".join([b'{"keyid":"a","method":"ecdsa","sig":""}'] * 300)
    + b"]}",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_file_is_malformed_with(case: str, shelf: Shelf, owner: Publisher) -> None:
    with pytest.raises(MalformedMetadata):
        shelf.publish(owner.first() | {"targets": MALFORMED[case]})


@pytest.mark.parametrize("role", ["Targets", "targets/", "targets/a/../b", "mirror", "targets/UP", ""])
def test_a_role_of_an_impossible_name_is_refused(role: str, shelf: Shelf, owner: Publisher) -> None:
    with pytest.raises(InvalidName):
        shelf.publish(owner.first() | {role: owner.tags()})


def test_a_version_that_is_stored_already_is_a_conflict(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    shelf.publish({"targets/alice": owner.tags(version=3)})
    before = shelf.versions()
    for update in (
        {"targets": owner.targets(2)},
        {"targets": owner.targets(1)},
        {"root": owner.root(1)},
        {"targets": owner.targets(3), "targets/alice": owner.tags(version=3)},
    ):
        with pytest.raises(VersionConflict):
            shelf.publish(update)
    assert shelf.versions() == before


def test_a_root_may_not_skip_a_version(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    with pytest.raises(PublishRejected, match="Current 1, new 3"):
        shelf.publish({"root": owner.root(3)})


def test_a_stranger_cannot_replace_the_root(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    stranger = Publisher(snapshot=owner.snapshot, timestamp=owner.timestamp)
    with pytest.raises(PublishRejected, match="could not rotate trust to a new trusted root"):
        shelf.publish({"root": stranger.root(2), "targets": stranger.targets(3)})


def test_who_initialises_a_moment_later_is_told_to_read_again(shelf: Shelf, owner: Publisher) -> None:
    shelf.publish(owner.first())
    stranger = Publisher(snapshot=owner.snapshot, timestamp=owner.timestamp)
    with pytest.raises(VersionConflict):
        shelf.publish(stranger.first())


def test_reasons_fit_into_what_clients_read(shelf: Shelf, owner: Publisher) -> None:
    signed = owner.targets_metadata().to_signed() | {"targets": {"x" * 5000: 1}}
    with pytest.raises(PublishRejected) as refusal:
        shelf.publish(owner.first() | {"targets": sign(signed, owner.targets_key)})
    assert len(str(refusal.value.detail["reason"])) <= 600


# Renewed


@pytest.fixture
def stocked(shelf: Shelf, owner: Publisher) -> Shelf:
    shelf.publish(owner.first())
    return shelf


def test_nothing_is_renewed_while_its_time_is_long(stocked: Shelf) -> None:
    stocked.now += 6 * DAY
    assert stocked.renew() == []


def test_a_timestamp_is_renewed_ahead_of_its_expiry(stocked: Shelf) -> None:
    due = stocked.files["timestamp"].renew_at
    assert due is not None
    stocked.now = due + timedelta(seconds=1)
    assert stocked.renew() == ["timestamp"]
    renewed = stocked.read("timestamp", Timestamp.from_signed)
    assert (renewed.version, renewed.expires) == (2, stocked.now + 14 * DAY)
    assert renewed.snapshot == FileMeta.of(stocked.files["snapshot"].data)


def test_a_snapshot_is_renewed_with_its_entries(stocked: Shelf) -> None:
    before = stocked.read("snapshot", Snapshot.from_signed)
    stocked.now = before.expires + DAY
    assert stocked.renew() == ["snapshot", "timestamp"]
    after = stocked.read("snapshot", Snapshot.from_signed)
    assert (after.version, after.meta) == (2, before.meta)
    assert after.expires > stocked.now


def test_a_clients_snapshot_is_left_alone(shelf: Shelf, keeper: Publisher) -> None:
    files = keeper.first()
    shelf.publish(files | {"snapshot": keeper.snapshot_of(files)})
    shelf.now += 2000 * DAY
    assert shelf.renew() == ["timestamp"]


def test_nothing_is_renewed_under_an_expired_root(stocked: Shelf) -> None:
    stocked.now += 3651 * DAY
    with pytest.raises(ExpiredMetadata):
        stocked.renew()


def test_nothing_is_renewed_without_the_key(stocked: Shelf) -> None:
    stocked.now += 15 * DAY
    stocked.keys.keys["timestamp"] = []
    with pytest.raises(CannotSign):
        stocked.renew()


def test_an_empty_shelf_has_nothing_to_renew(shelf: Shelf) -> None:
    assert shelf.renew() == []


def test_tags_are_not_checked_against_paths(shelf: Shelf, owner: Publisher) -> None:
    narrow = (delegation("targets/alice", [owner.alice], paths=("release-",)),)
    shelf.publish(owner.first() | {"targets": owner.targets(delegations=narrow)})
    shelf.publish({"targets/alice": owner.tags(targets=tag("nightly"))})
