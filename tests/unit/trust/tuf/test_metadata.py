"""The four kinds of files: what docker wrote is read and written back, everything odd is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from signing.trust.errors import HashMismatch, LengthMismatch, MalformedMetadata, UnmetThreshold
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.metadata import (
    Delegation,
    Envelope,
    FileMeta,
    RoleKeys,
    Root,
    Signature,
    Snapshot,
    Target,
    Targets,
    Timestamp,
)
from signing.trust.tuf.times import parse_time
from tests.unit.trust import samples

KINDS: dict[str, Any] = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}
NOW = parse_time("2026-11-24T12:00:00Z")


def kind_of(role: str) -> Any:
    return KINDS.get(role, Targets)


def signed_part(role: str) -> dict[str, Any]:
    return copy.deepcopy(Envelope.parse(samples.metadata(role)).signed)


@pytest.mark.parametrize("role", samples.ROLE_FILES)
def test_a_file_of_the_real_server_is_written_back_byte_for_byte(role: str) -> None:
    envelope = Envelope.parse(samples.metadata(role))
    assert Envelope.build(envelope.signed, envelope.signatures).raw == samples.metadata(role)


@pytest.mark.parametrize("role", samples.ROLE_FILES)
def test_a_file_survives_the_way_through_our_types(role: str) -> None:
    signed = signed_part(role)
    written = kind_of(role).from_signed(signed).to_signed()
    assert written | {"expires": None} == signed | {"expires": None}
    assert parse_time(written["expires"]) == parse_time(signed["expires"])


def test_the_samples_are_one_chain_of_signatures_and_hashes() -> None:
    envelopes = {role: Envelope.parse(samples.metadata(role)) for role in samples.ROLE_FILES}
    root = Root.from_signed(envelopes["root"].signed)
    targets = Targets.from_signed(envelopes["targets"].signed)
    snapshot = Snapshot.from_signed(envelopes["snapshot"].signed)
    Timestamp.from_signed(envelopes["timestamp"].signed).snapshot.check("snapshot", samples.metadata("snapshot"))
    for role, envelope in envelopes.items():
        keys = root.role(role) if role in KINDS else targets.role(role)
        assert keys is not None
        keys.require_threshold(envelope)
        if role not in ("snapshot", "timestamp"):
            snapshot.meta[role].check(role, samples.metadata(role))


def test_the_next_root_is_signed_by_both_roots() -> None:
    old = Root.from_signed(signed_part("root"))
    envelope = Envelope.parse((samples.DATA / "metadata" / "root.v2-after-rotation.json").read_bytes())
    new = Root.from_signed(envelope.signed)
    old.role("root").require_threshold(envelope)
    new.role("root").require_threshold(envelope)
    with pytest.raises(UnmetThreshold):
        new.role("root").require_threshold(Envelope.parse(samples.metadata("root")))


def test_a_changed_byte_breaks_signature_and_hash() -> None:
    data = samples.metadata("targets/alice").replace(b'"length":523', b'"length":524')
    targets = Targets.from_signed(signed_part("targets"))
    role = targets.role("targets/alice")
    assert role is not None
    with pytest.raises(UnmetThreshold):
        role.require_threshold(Envelope.parse(data))
    with pytest.raises(HashMismatch):
        Snapshot.from_signed(signed_part("snapshot")).meta["targets/alice"].check("targets/alice", data)
    with pytest.raises(LengthMismatch):
        Snapshot.from_signed(signed_part("snapshot")).meta["targets/alice"].check("targets/alice", data + b"\n")


def test_formatting_does_not_touch_signatures() -> None:
    data = json.dumps(json.loads(samples.metadata("targets")), indent=4).encode()
    Root.from_signed(signed_part("root")).role("targets").require_threshold(Envelope.parse(data))


def test_bare_keys_never_count_for_root() -> None:
    key = PrivateKey.generate()
    listed = RoleKeys((key.key_id,), 1)
    root = Root(version=1, expires=NOW, keys={key.key_id: key.public}, roles=dict.fromkeys(KINDS, listed))
    envelope = Envelope.build(root.to_signed(), ())
    envelope = Envelope.build(root.to_signed(), (key.signature(key.key_id, envelope.payload),))
    root.role("targets").require_threshold(envelope)
    with pytest.raises(UnmetThreshold):
        root.role("root").require_threshold(envelope)


Change = Callable[[dict[str, Any]], object]


def without(name: str) -> Change:
    return lambda signed: signed.pop(name)


def having(**members: Any) -> Change:
    return lambda signed: signed.update(members)


def in_role(role: str, **members: Any) -> Change:
    return lambda signed: signed["roles"][role].update(members)


def in_delegation(**members: Any) -> Change:
    return lambda signed: signed["delegations"]["roles"][0].update(members)


def in_target(**members: Any) -> Change:
    return lambda signed: signed["targets"]["v1"].update(members)


def in_file(name: str, **members: Any) -> Change:
    return lambda signed: signed["meta"][name].update(members)


COMMON: list[tuple[str, Change]] = [
    ("no type", without("_type")),
    ("type in lower case", lambda signed: signed.update(_type=signed["_type"].lower())),
    ("type of another role", lambda signed: signed.update(_type="Targets" if signed["_type"] != "Targets" else "Root")),
    ("type is a list", having(_type=["Root"])),
    ("no version", without("version")),
    ("version 0", having(version=0)),
    ("negative version", having(version=-1)),
    ("version as text", having(version="1")),
    ("version is true", having(version=True)),
    ("version twice, by case", having(Version=2)),
    ("no expires", without("expires")),
    ("expires is no time", having(expires="tomorrow")),
    ("expires is a number", having(expires=1)),
    ("expires is null", having(expires=None)),
    ("expires twice, by case", having(EXPIRES="2036-11-24T00:00:00Z")),
    ("expires twice, by a look-alike", lambda signed: signed.update({"expire\u017f": "2036-11-24T00:00:00Z"})),
]
ODD: dict[str, list[tuple[str, Change]]] = {
    "root": [
        *COMMON,
        ("no keys", without("keys")),
        ("keys are a list", having(keys=[])),
        ("keys are false", having(keys=False)),
        ("no roles", without("roles")),
        ("roles are null", having(roles=None)),
        *((f"no role {role}", lambda signed, role=role: signed["roles"].pop(role)) for role in KINDS),
        ("threshold 0", in_role("targets", threshold=0)),
        ("negative threshold", in_role("targets", threshold=-1)),
        ("threshold as text", in_role("targets", threshold="1")),
        ("threshold is true", in_role("targets", threshold=True)),
        ("threshold is null", in_role("targets", threshold=None)),
        ("threshold twice, by case", in_role("targets", Threshold=1)),
        ("a key nobody gave", in_role("targets", keyids=["0" * 64])),
        ("keyids are text", in_role("targets", keyids="0" * 64)),
        ("a keyid is a number", in_role("targets", keyids=[1])),
        ("a keyid is a list", in_role("targets", keyids=[["0"]])),
        ("consistent_snapshot is text", having(consistent_snapshot="false")),
    ],
    "targets": [
        *COMMON,
        ("no targets", without("targets")),
        ("targets are a list", having(targets=[])),
        ("targets are text", having(targets="")),
        ("delegations are a list", having(delegations=[])),
        ("delegated roles are an object", having(delegations={"keys": {}, "roles": {}})),
        ("delegations twice, by case", having(Delegations={"keys": {}, "roles": []})),
        ("threshold 0", in_delegation(threshold=0)),
        ("threshold as text", in_delegation(threshold="1")),
        ("threshold is true", in_delegation(threshold=True)),
        ("a key nobody gave", in_delegation(keyids=["0" * 64])),
        ("a base role", in_delegation(name="root")),
        ("a name the format forbids", in_delegation(name="targets/../root")),
        ("a name that is a number", in_delegation(name=7)),
        ("paths are text", in_delegation(paths="v1")),
        ("a path is a number", in_delegation(paths=[1])),
        ("a role twice", lambda signed: signed["delegations"]["roles"].append(signed["delegations"]["roles"][0])),
    ],
    "targets/alice": [
        ("a target is text", lambda signed: signed["targets"].update(v1="latest")),
        ("no hashes", lambda signed: signed["targets"]["v1"].pop("hashes")),
        ("no sha256", in_target(hashes={"sha512": "A" * 86 + "=="})),
        ("a short sha256", in_target(hashes={"sha256": "AAAA"})),
        ("a sha512 as long as a sha256", in_target(hashes={"sha256": "A" * 43 + "=", "sha512": "A" * 43 + "="})),
        ("a hash in hex", in_target(hashes={"sha256": "g" * 64})),
        ("a hash is null", in_target(hashes={"sha256": None})),
        ("negative length", in_target(length=-1)),
        ("length as text", in_target(length="523")),
        ("length is true", in_target(length=True)),
        ("length twice, by case", in_target(LENGTH=1)),
    ],
    "snapshot": [
        *COMMON,
        ("no meta", without("meta")),
        ("meta is a list", having(meta=[])),
        ("no root", lambda signed: signed["meta"].pop("root")),
        ("no targets", lambda signed: signed["meta"].pop("targets")),
        ("no sha256", in_file("root", hashes={})),
        ("no length", lambda signed: signed["meta"]["root"].pop("length")),
        ("negative length", in_file("root", length=-1)),
    ],
    "timestamp": [
        *COMMON,
        ("no snapshot", lambda signed: signed["meta"].pop("snapshot")),
        ("a file that is null", lambda signed: signed["meta"].update(snapshot=None)),
    ],
}
CASES = [pytest.param(role, change, id=f"{role}: {name}") for role, changes in ODD.items() for name, change in changes]


@pytest.mark.parametrize(("role", "change"), CASES)
def test_odd_files_are_refused(role: str, change: Change) -> None:
    signed = signed_part(role)
    change(signed)
    with pytest.raises(MalformedMetadata) as caught:
        kind_of(role).from_signed(signed)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"signed":{}}',
        b'{"signatures":[]}',
        b'{"signed":[],"signatures":[]}',
        b'{"signed":null,"signatures":[]}',
        b'{"signed":{},"signatures":{}}',
        b'{"signed":{},"signatures":[null]}',
        b'{"signed":{},"signatures":[{"keyid":"a","method":"ecdsa"}]}',
        b'{"signed":{},"signatures":[{"keyid":1,"method":"ecdsa","sig":""}]}',
        b'{"signed":{},"signatures":[{"keyid":"a","method":"ecdsa","sig":"!"}]}',
        b'{"signed":{},"signatures":[{"keyid":"a","method":"ecdsa","sig":"","Sig":""}]}',
        b'{"signed":{},"Signed":{},"signatures":[]}',
        b'{"signed":{},"signatures":[]}\n{}',
    ],
)
def test_what_is_no_signed_file(data: bytes) -> None:
    with pytest.raises(MalformedMetadata):
        Envelope.parse(data)


def test_no_signatures_may_be_null_as_go_writes_it() -> None:
    assert Envelope.parse(b'{"signed":{},"signatures":null}').signatures == ()


def test_members_nobody_knows_stay_part_of_what_is_signed() -> None:
    envelope = Envelope.parse(b'{"signed":{"b":1,"a":{"x":[]}},"signatures":[]}')
    assert envelope.payload == b'{"a":{"x":[]},"b":1}'


def test_the_method_is_lower_cased() -> None:
    assert Signature.from_json({"keyid": "a", "method": "ECDSA", "sig": ""}).method == "ecdsa"


def test_what_go_writes_for_nothing_is_read() -> None:
    signed = signed_part("targets")
    signed["delegations"]["roles"][0]["keyids"] = None
    del signed["delegations"]["roles"][0]["paths"]
    first = Targets.from_signed(signed).delegations[0]
    assert (first.keyids, first.paths) == ((), ())
    for nothing in ({"keys": {}, "roles": None}, {"keys": None, "roles": []}, None):
        assert Targets.from_signed(signed | {"delegations": nothing}).delegations == ()


def test_paths_are_left_out_when_there_are_none() -> None:
    assert Delegation("targets/alice", ("a",), 1, ()).to_json() == {
        "keyids": ["a"],
        "name": "targets/alice",
        "threshold": 1,
    }
    assert Delegation("targets/alice", ("a",), 1, ("",)).to_json()["paths"] == [""]


def test_a_repository_without_delegations_still_writes_them() -> None:
    assert Targets(version=1, expires=NOW).to_signed()["delegations"] == {"keys": {}, "roles": []}


def test_expiry_has_no_tolerance() -> None:
    file = Targets(version=1, expires=NOW)
    assert not file.is_expired(NOW)
    assert file.is_expired(parse_time("2026-11-24T12:00:00.000001Z"))


def test_custom_data_of_a_target_is_kept() -> None:
    entry = {"hashes": {"sha256": "A" * 43 + "="}, "length": 1, "custom": {"b": [1], "a": None}}
    assert Target.from_json("v1", entry).to_json() == entry


@pytest.mark.parametrize("digest", ["", "sha256:", "a" * 63, "a" * 66, "sha512:" + "a" * 64, "z" * 64, "é" * 64])
def test_what_is_no_digest(digest: str) -> None:
    with pytest.raises(MalformedMetadata):
        Target.from_digest("v1", digest, 523)


def test_a_digest_with_and_without_its_prefix() -> None:
    assert Target.from_digest("v1", "sha256:" + "ab" * 32, 5) == Target.from_digest("v1", "ab" * 32, 5)
    assert Target.from_digest("v1", "ab" * 32, 5).digest == "ab" * 32


def test_both_hashes_are_checked() -> None:
    meta = FileMeta.of(b"content")
    meta.check("root", b"content")
    with pytest.raises(HashMismatch):
        FileMeta(7, {**meta.hashes, "sha512": b"\0" * 64}).check("root", b"content")
    with pytest.raises(HashMismatch):
        FileMeta(7, {**meta.hashes, "sha256": b"\0" * 32}).check("root", b"content")
    with pytest.raises(LengthMismatch):
        FileMeta(8, meta.hashes).check("root", b"content")
