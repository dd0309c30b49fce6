"""What a client fetches, believes, remembers and refuses; every lie has a name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from signing.trust.errors import (
    BadResponse,
    ExpiredMetadata,
    HashMismatch,
    KeyIdMismatch,
    LengthMismatch,
    MalformedMetadata,
    NotAuthorised,
    NoTrustData,
    Rollback,
    ServerUnreachable,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import client as client_module
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, FileMeta, Targets
from tests.simulator import GUN, Clock, Owner, Simulator, signed_by
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.samples import GUN as SAMPLE_GUN
from tests.unit.trust.samples import ROLE_FILES, metadata

SILENCES = [ServerUnreachable("no answer"), NotAuthorised("no")]


def flipped(data: bytes) -> bytes:
    """Change one digit inside the signed part and leave the JSON whole."""
    at = data.index(b'"version":') + len(b'"version":')
    return data[:at] + (b"7" if data[at : at + 1] != b"7" else b"8") + data[at + 1 :]


def resigned(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Damage the first signature."""
    envelope = json.loads(data)
    signature = envelope["signatures"][0]["sig"]
    return data.replace(signature.encode(), base64.b64encode(change(base64.b64decode(signature))))


def without_signatures(data: bytes) -> bytes:
    return Envelope.build(Envelope.parse(data).signed, ()).raw


# Reading


def test_a_newcomer_reads_everything(newcomer: Reader, simulator: Simulator) -> None:
    trusted = newcomer.refresh()

    assert [(row.tag, row.signers) for row in trusted.released()] == [
        ("v0", ()),
        ("v1", ("alice", "bob")),
        ("v2", ("alice",)),
    ]
    assert not trusted.is_stale
    assert not trusted.left_out
    assert simulator.asked[:2] == ["root.json", "timestamp.json"]


def test_the_second_look_costs_one_timestamp(reader: Reader, simulator: Simulator) -> None:
    reader.refresh()
    assert simulator.asked == ["timestamp.json"]


def test_the_same_is_verified_once_in_a_process(
    reader: Reader, simulator: Simulator, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reader.refresh()
    monkeypatch.setattr(client_module, "open_once", None)
    assert reader.refresh() is first
    assert Reader(simulator, clock).refresh() is first, "a client that knows nothing asks for root and timestamp"
    clock.advance(days=1)
    assert reader.refresh() is first


def test_what_was_verified_before_still_expires(reader: Reader, simulator: Simulator, clock: Clock) -> None:
    simulator.put_snapshot(GUN, lambda made: replace(made, expires=clock() + timedelta(days=3)))
    simulator.lies["timestamp.json"] = simulator.said(GUN, roles.TIMESTAMP)  # else the server would renew both
    reader.refresh()
    clock.advance(days=4)
    with pytest.raises(ExpiredMetadata, match="snapshot"):
        reader.refresh()


def test_what_was_verified_before_is_measured_by_the_memory(
    reader: Reader, owner: Owner, simulator: Simulator, clock: Clock
) -> None:
    """Two clients of one process: what one has seen last is an old state to the other."""
    other = Reader(simulator, clock)
    before = simulator.state()
    owner.sign("v3", digest("three"), "alice")
    other.refresh()
    simulator.restore(before)
    reader.refresh()
    with pytest.raises(Rollback):
        other.refresh()


def test_little_is_kept_of_what_was_verified(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    first = reader.refresh()
    monkeypatch.setattr("signing.trust.notary.resident.LARGEST_KEPT", 100)
    client_module.resident.clear()
    assert reader.refresh() is not first
    assert client_module.resident.find(GUN, b"", b"", reader.now()) is None


def test_only_what_changed_is_fetched(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    owner.sign("v3", digest("three"), "alice")
    simulator.asked.clear()

    assert reader.refresh().find_released("v3").signers == ("alice",)
    assert sorted(name.partition(".")[0] for name in simulator.asked) == [
        "snapshot",
        "targets/alice",
        "targets/releases",
        "timestamp",
    ]


def test_the_cache_holds_the_servers_exact_bytes(reader: Reader, simulator: Simulator) -> None:
    for role in (*roles.BASE_ROLES, "targets/alice", "targets/bob", "targets/releases"):
        assert reader.cache.load(role) == simulator.said(GUN, role)


def test_a_repository_that_was_never_initialised_is_no_trust_data(simulator: Simulator, clock: Clock) -> None:
    with pytest.raises(NoTrustData):
        Reader(simulator, clock).refresh()


def test_a_refresh_reads_the_clock_once(reader: Reader, clock: Clock) -> None:
    looks = 0

    def look() -> datetime:
        nonlocal looks
        looks += 1
        return clock()

    reader.now = look
    reader.refresh()
    assert looks == 1


def test_the_files_of_the_real_docker_verify() -> None:
    simulator = Simulator()
    for role in ROLE_FILES:
        simulator.put(SAMPLE_GUN, role, Envelope.parse(metadata(role)))
    trusted = client_module.refresh(Gun(SAMPLE_GUN), simulator, MemoryCache(), now=Clock())
    assert [row.tag for row in trusted.released()] == ["v0", "v1", "v2", "v10"]


# Lies told to somebody who knows nothing

LIES: dict[str, tuple[str, Callable[[bytes], bytes | None], type[TrustError]]] = {
    "a changed timestamp": ("timestamp", flipped, UnmetThreshold),
    "a damaged signature": ("timestamp", lambda data: resigned(data, lambda sig: sig[::-1]), UnmetThreshold),
    "a signature cut short": ("timestamp", lambda data: resigned(data, lambda sig: sig[:-1]), UnmetThreshold),
    "no signature": ("timestamp", without_signatures, UnmetThreshold),
    "text instead of a timestamp": ("timestamp", lambda _: b"{it works}", MalformedMetadata),
    "an empty object": ("timestamp", lambda _: b"{}", MalformedMetadata),
    "a timestamp with a comma too much": ("timestamp", lambda data: data.replace(b",", b",,", 1), MalformedMetadata),
    "trailing data": ("timestamp", lambda data: data + b"{}", MalformedMetadata),
    "a bottomless timestamp": ("timestamp", lambda _: b"[" * 100_000, MalformedMetadata),
    "an endless timestamp": ("timestamp", lambda data: data + b" " * 2**20, BadResponse),
    "a changed root": ("root", flipped, UnmetThreshold),
    "a root without signatures": ("root", without_signatures, UnmetThreshold),
    "no root": ("root", lambda _: None, NoTrustData),
    "a timestamp as the root": ("root", lambda _: b'{"signed":{},"signatures":[]}', MalformedMetadata),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_newcomer_refuses(lie: str, newcomer: Reader, simulator: Simulator) -> None:
    role, change, refusal = LIES[lie]
    simulator.lies[f"{role}.json"] = change(simulator.said(GUN, role))

    with pytest.raises(refusal) as caught:
        newcomer.refresh()

    assert type(caught.value) is refusal or refusal is BadResponse
    assert newcomer.cache.load(roles.ROOT) is None, "nothing is remembered of what did not verify"


CHANGES: dict[str, tuple[Callable[[bytes], bytes | None], type[TrustError]]] = {
    "changed": (flipped, HashMismatch),
    "cut short": (lambda data: data[:-1], LengthMismatch),
    "longer": (lambda data: data + b" ", LengthMismatch),
    "empty": (lambda _: b"", LengthMismatch),
    "missing": (lambda _: None, BadResponse),
    "of the same length": (lambda data: b" " * len(data), HashMismatch),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["snapshot", "targets", "targets/releases", "targets/alice"])
def test_a_file_other_than_promised_is_refused(role: str, change: str, newcomer: Reader, simulator: Simulator) -> None:
    tell, refusal = CHANGES[change]
    truth = simulator.said(GUN, role)
    simulator.lies[f"{role}.{FileMeta.of(truth).sha256}.json"] = tell(truth)

    with pytest.raises(refusal):
        newcomer.refresh()


# Wrongly made files, each with hashes and signatures in order


def test_a_file_signed_by_a_stranger_is_refused(newcomer: Reader, owner: Owner) -> None:
    stranger = signed_by(replace(owner.files[roles.TARGETS], version=99), PrivateKey.generate())
    owner.put({roles.TARGETS: stranger})
    with pytest.raises(UnmetThreshold, match="targets"):
        newcomer.refresh()


def test_a_signature_under_the_right_id_by_the_wrong_key_is_refused(newcomer: Reader, owner: Owner) -> None:
    made = replace(owner.files[roles.TARGETS], version=99)
    forged = PrivateKey.generate().signature(owner.targets_key.key_id, Envelope.build(made.to_signed(), ()).payload)
    owner.put({roles.TARGETS: Envelope.build(made.to_signed(), (forged,))})
    with pytest.raises(UnmetThreshold):
        newcomer.refresh()


def test_one_key_signing_twice_counts_once(newcomer: Reader, owner: Owner) -> None:
    owner.root = replace(
        owner.root,
        version=2,
        roles={**owner.root.roles, roles.TARGETS: replace(owner.root.roles[roles.TARGETS], threshold=2)},
    )
    made = replace(owner.files[roles.TARGETS], version=99)
    twice = signed_by(made, owner.targets_key, owner.targets_key)
    owner.put({roles.ROOT: owner.signed_root(), roles.TARGETS: twice})
    with pytest.raises(UnmetThreshold):
        newcomer.refresh()


@pytest.mark.parametrize("role", [roles.ROOT, roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP])
def test_what_expired_is_refused(role: str, newcomer: Reader, owner: Owner, simulator: Simulator, clock: Clock) -> None:
    a_second_ago = clock() - timedelta(seconds=1)
    if role == roles.ROOT:
        owner.root = replace(owner.root, version=2, expires=a_second_ago)
        owner.put({roles.ROOT: owner.signed_root()})
    elif role == roles.TARGETS:
        owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, expires=a_second_ago)})
    elif role == roles.SNAPSHOT:
        simulator.put_snapshot(GUN, lambda made: replace(made, expires=a_second_ago))
        simulator.lies["timestamp.json"] = simulator.said(GUN, roles.TIMESTAMP)
    else:
        simulator.put_timestamp(GUN, lambda made: replace(made, expires=a_second_ago))
        simulator.lies["timestamp.json"] = simulator.said(GUN, roles.TIMESTAMP)

    with pytest.raises(ExpiredMetadata, match=role):
        newcomer.refresh()


def test_expiry_is_exact(newcomer: Reader, simulator: Simulator, clock: Clock) -> None:
    simulator.put_timestamp(GUN, lambda made: replace(made, expires=clock()))
    simulator.lies["timestamp.json"] = simulator.said(GUN, roles.TIMESTAMP)
    newcomer.refresh()

    clock.now += timedelta(microseconds=1)
    with pytest.raises(ExpiredMetadata):
        newcomer.refresh()


def test_a_snapshot_of_another_root_is_refused(newcomer: Reader, simulator: Simulator) -> None:
    simulator.put_snapshot(
        GUN, lambda made: replace(made, meta={**made.meta, roles.ROOT: FileMeta.of(b"another root")})
    )
    with pytest.raises(LengthMismatch):
        newcomer.refresh()


def test_a_promise_larger_than_anybody_reads_is_refused(newcomer: Reader, simulator: Simulator) -> None:
    huge = replace(FileMeta.of(b""), length=client_module.LARGEST_FILE + 1)
    simulator.put_snapshot(GUN, lambda made: replace(made, meta={**made.meta, roles.TARGETS: huge}))
    with pytest.raises(LengthMismatch):
        newcomer.refresh()


def test_all_files_together_have_a_limit(
    newcomer: Reader, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LARGEST_DOWNLOAD", 2000)
    with pytest.raises(LengthMismatch):
        newcomer.refresh()


# Going back in time


@pytest.mark.parametrize("publishes", [1, 3])
def test_older_data_than_seen_is_a_rollback(publishes: int, reader: Reader, owner: Owner, simulator: Simulator) -> None:
    before = simulator.state()
    for number in range(publishes):
        owner.sign(f"new{number}", digest("new"), "alice")
    reader.refresh()
    simulator.restore(before)

    with pytest.raises(Rollback):
        reader.refresh()


def test_an_older_file_under_a_newer_snapshot_is_a_rollback(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    old = Envelope.parse(simulator.said(GUN, "targets/releases"))
    owner.sign("v2", digest("a fix"), "alice")
    reader.refresh()
    owner.put({"targets/releases": old})

    with pytest.raises(Rollback, match="targets/releases"):
        reader.refresh()


@pytest.mark.parametrize("role", [roles.SNAPSHOT, roles.TIMESTAMP])
def test_an_older_snapshot_or_timestamp_is_a_rollback(role: str, reader: Reader, simulator: Simulator) -> None:
    if role == roles.SNAPSHOT:
        simulator.put_snapshot(GUN, lambda made: replace(made, version=made.version - 2))
    else:
        simulator.put_timestamp(GUN, lambda made: replace(made, version=made.version - 2))
    with pytest.raises(Rollback, match=role):
        reader.refresh()


def test_another_file_of_the_same_version_is_refused(reader: Reader, owner: Owner) -> None:
    twin = replace(owner.files["targets/alice"], targets={})
    owner.put({"targets/alice": signed_by(twin, owner.signer_keys["alice"])})
    with pytest.raises(Rollback, match="another version"):
        reader.refresh()


def test_what_was_seen_counts_although_it_expired(
    reader: Reader, owner: Owner, simulator: Simulator, clock: Clock
) -> None:
    before = simulator.said(GUN, roles.TIMESTAMP)
    owner.sign("v3", digest("three"), "alice")
    reader.refresh()
    clock.advance(days=15)
    simulator.put_timestamp(GUN, lambda made: replace(made, version=Envelope.parse(before).signed["version"]))
    with pytest.raises(Rollback):
        reader.refresh()


def test_a_refused_lie_leaves_the_memory_as_it_was(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    owner.sign("v3", digest("three"), "alice")
    truth = simulator.said(GUN, "targets/alice")
    simulator.lies[f"targets/alice.{FileMeta.of(truth).sha256}.json"] = flipped(truth)
    before = reader.cache.load(roles.TIMESTAMP)

    with pytest.raises(HashMismatch):
        reader.refresh()
    assert reader.cache.load(roles.TIMESTAMP) == before
    simulator.lies.clear()
    assert reader.refresh().find_released("v3")


@pytest.mark.parametrize("role", [roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP, "targets/alice"])
def test_a_damaged_memory_is_fetched_anew(role: str, reader: Reader, simulator: Simulator) -> None:
    reader.cache.store(role, b"\x00 damaged")
    reader.refresh()
    assert reader.cache.load(role) == simulator.said(GUN, role)


# Delegations


def test_a_signer_without_tags_is_no_trouble(newcomer: Reader, owner: Owner) -> None:
    owner.add_signer("carol")
    trusted = newcomer.refresh()
    assert [name for name, _ in trusted.signers()] == ["alice", "bob", "carol"]
    assert "targets/carol" not in {*trusted.delegations, *trusted.left_out}


@pytest.mark.parametrize(
    ("why", "refusal"), [("expired", ExpiredMetadata), ("by a stranger", UnmetThreshold), ("no keys", UnmetThreshold)]
)
def test_a_delegation_that_does_not_count_is_left_out_and_named(
    why: str, refusal: type[TrustError], newcomer: Reader, owner: Owner, clock: Clock
) -> None:
    if why == "expired":
        owner.put({"targets/bob": owner.next_file("targets/bob", expires=clock() - timedelta(seconds=1))})
    elif why == "by a stranger":
        owner.put({"targets/bob": signed_by(replace(owner.files["targets/bob"], version=9), PrivateKey.generate())})
    else:
        file = owner.files[roles.TARGETS]
        orphaned = tuple(replace(item, keyids=()) if item.name == "targets/bob" else item for item in file.delegations)
        owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=orphaned)})

    trusted = newcomer.refresh()

    assert type(trusted.left_out["targets/bob"]) is refusal
    assert trusted.left_out_files == {"targets/bob": owner.simulator.said(owner.gun, "targets/bob")}
    assert "targets/bob" not in trusted.delegations
    assert trusted.find_released("v1").signers == ("alice",)


def test_releases_left_out_release_nothing(newcomer: Reader, owner: Owner, clock: Clock) -> None:
    owner.put({roles.RELEASES: owner.next_file(roles.RELEASES, expires=clock() - timedelta(seconds=1))})
    trusted = newcomer.refresh()
    assert [row.tag for row in trusted.released()] == ["v0"]
    assert list(trusted.left_out) == [roles.RELEASES]


def test_what_is_below_a_left_out_delegation_is_not_read(newcomer: Reader, owner: Owner, clock: Clock) -> None:
    owner.add_signer("alice/tools")
    owner.add_target("targets/alice/tools", "t1", digest("tool"))
    owner.publish({"targets/alice/tools": owner.next_file("targets/alice/tools")})
    assert "targets/alice/tools" in newcomer.refresh().delegations

    owner.put({"targets/alice": owner.next_file("targets/alice", expires=clock() - timedelta(seconds=1))})
    trusted = newcomer.refresh()
    assert "targets/alice/tools" not in {*trusted.delegations, *trusted.left_out}


def test_a_delegation_with_one_not_directly_below_is_left_out(newcomer: Reader, owner: Owner) -> None:
    owner.delegate("targets/alice", "targets/bob/deep", [PrivateKey.generate()])
    owner.put({"targets/alice": owner.next_file("targets/alice")})
    trusted = newcomer.refresh()
    assert "not directly below" in trusted.left_out["targets/alice"].message
    assert trusted.find_released("v1").signers == ("bob",)


def test_targets_with_a_role_not_directly_below_is_malformed(newcomer: Reader, owner: Owner) -> None:
    owner.delegate(roles.TARGETS, "targets/alice/deep", [PrivateKey.generate()])
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS)})
    with pytest.raises(MalformedMetadata, match="not directly below"):
        newcomer.refresh()


def test_delegations_deeper_than_anybody_needs_are_left_out(newcomer: Reader, owner: Owner) -> None:
    role = "targets/alice"
    for level in range(client_module.DEEPEST_DELEGATION + 1):
        owner.delegate(role, f"{role}/d{level}", [owner.signer_keys["alice"]])
        owner.put({role: owner.next_file(role)})
        role = f"{role}/d{level}"
        owner.put({role: owner.next_file(role)})
    trusted = newcomer.refresh()
    assert max(name.count("/") for name in trusted.delegations) == client_module.DEEPEST_DELEGATION
    assert all("deeper" in error.message for error in trusted.left_out.values())
    assert len(trusted.left_out) == 1


def test_a_delegation_larger_than_anybody_reads_is_left_out(newcomer: Reader, owner: Owner) -> None:
    huge = replace(FileMeta.of(b""), length=client_module.LARGEST_FILE + 1)
    owner.simulator.put_snapshot(GUN, lambda made: replace(made, meta={**made.meta, "targets/bob": huge}))
    trusted = newcomer.refresh()
    assert type(trusted.left_out["targets/bob"]) is LengthMismatch
    assert "targets/bob" not in trusted.left_out_files
    assert trusted.find_released("v1").signers == ("alice",)


def test_more_delegations_than_anybody_reads_are_refused(newcomer: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "MOST_DELEGATIONS", 2)
    with pytest.raises(MalformedMetadata, match="more delegations"):
        newcomer.refresh()


def test_a_key_under_a_foreign_id_does_not_sign(newcomer: Reader, owner: Owner) -> None:
    thief = PrivateKey.generate()
    file = owner.files[roles.TARGETS]
    alice = owner.signer_keys["alice"].key_id
    swapped = {**file.keys, alice: thief.public}
    made = replace(owner.files["targets/alice"], version=9)
    forged = thief.signature(alice, Envelope.build(made.to_signed(), ()).payload)
    owner.put(
        {
            roles.TARGETS: owner.next_file(roles.TARGETS, keys=swapped),
            "targets/alice": Envelope.build(made.to_signed(), (forged,)),
        }
    )
    trusted = newcomer.refresh()
    assert type(trusted.left_out["targets/alice"]) is KeyIdMismatch
    assert type(trusted.left_out[roles.RELEASES]) is KeyIdMismatch, "she signed there as well"
    assert trusted.find_released("v0")


# Silence


@pytest.mark.parametrize("silence", SILENCES, ids=lambda error: error.code)
def test_without_an_answer_what_was_seen_still_holds(silence: TrustError, reader: Reader, simulator: Simulator) -> None:
    simulator.fault = silence
    trusted = reader.refresh()
    assert trusted.is_stale
    assert trusted.find_released("v1")


def test_a_deleted_repository_holds_until_its_timestamp_ends(
    reader: Reader, simulator: Simulator, clock: Clock
) -> None:
    simulator.delete(GUN)
    assert reader.refresh().is_stale

    clock.advance(days=15)
    with pytest.raises(NoTrustData):
        reader.refresh()


@pytest.mark.parametrize("silence", SILENCES, ids=lambda error: error.code)
def test_without_an_answer_nothing_holds_for_ever(
    silence: TrustError, reader: Reader, simulator: Simulator, clock: Clock
) -> None:
    simulator.fault = silence
    clock.advance(days=14, seconds=1)
    with pytest.raises(type(silence)):
        reader.refresh()


def test_a_wrong_answer_is_not_silence(reader: Reader, simulator: Simulator) -> None:
    simulator.fault = BadResponse("a page of a hotel")
    with pytest.raises(BadResponse):
        reader.refresh()


def test_whoever_must_reach_the_server_gets_no_memory(reader: Reader, simulator: Simulator) -> None:
    simulator.fault = SILENCES[0]
    with pytest.raises(ServerUnreachable):
        reader.refresh(must_reach_server=True)

    simulator.fault = None
    simulator.delete(GUN)
    with pytest.raises(NoTrustData):
        reader.refresh(must_reach_server=True)


def test_nor_does_a_server_that_only_shows_its_root(reader: Reader, simulator: Simulator) -> None:
    simulator.lies["timestamp.json"] = None
    with pytest.raises(NoTrustData):
        reader.refresh(must_reach_server=True)
    assert reader.refresh().is_stale


def test_a_newcomer_without_an_answer_has_nothing(newcomer: Reader, simulator: Simulator) -> None:
    simulator.fault = SILENCES[0]
    with pytest.raises(ServerUnreachable):
        newcomer.refresh()


def test_silence_in_the_middle_is_reported(reader: Reader, owner: Owner, simulator: Simulator) -> None:
    owner.sign("v3", digest("three"), "alice")
    truth = simulator.get

    def half_way(gun: str, name: str, limit: int | None = None) -> bytes | None:
        if name.startswith("targets/"):
            raise ServerUnreachable("gone")
        return truth(gun, name, limit)

    simulator.get = half_way  # type: ignore[method-assign]
    with pytest.raises(ServerUnreachable):
        reader.refresh()


def test_a_lie_is_named_although_the_server_then_falls_silent(reader: Reader, simulator: Simulator) -> None:
    truth = simulator.get

    def no_root(gun: str, name: str, limit: int | None = None) -> bytes | None:
        if "root" in name:
            raise ServerUnreachable("gone")
        return truth(gun, name, limit)

    simulator.lies["timestamp.json"] = flipped(simulator.said(GUN, roles.TIMESTAMP))
    simulator.get = no_root  # type: ignore[method-assign]
    with pytest.raises(UnmetThreshold):
        reader.refresh()


def test_an_untrusted_targets_is_never_replaced_by_memory(reader: Reader, owner: Owner) -> None:
    owner.put({roles.TARGETS: signed_by(Targets(version=99, expires=owner.file("x").expires), PrivateKey.generate())})
    with pytest.raises(UnmetThreshold):
        reader.refresh()


def test_a_root_by_strangers_is_untrusted(reader: Reader, simulator: Simulator, clock: Clock) -> None:
    simulator.delete(GUN)
    mallory = Owner(simulator, clock).initialise()
    with pytest.raises(UntrustedRoot) as caught:
        reader.refresh()
    assert caught.value.detail["new_key_ids"] == [mallory.certificate.key_id]
