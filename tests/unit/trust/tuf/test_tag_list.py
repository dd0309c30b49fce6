"""Long lists of tags are read in a sweep; whatever is read so is what the reader of any JSON finds."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import random
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signing.trust.errors import MalformedMetadata
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf import canonical, shape
from signing.trust.tuf.metadata import Delegation, Envelope, ListedEnvelope, Signature, Target, Targets
from signing.trust.tuf.tag_list import TagList, read_tags

EXPIRES = datetime(2029, 1, 1, tzinfo=UTC)
KEY = PrivateKey.generate()


def target(name: str, *, sha512: bool = False, custom: Any = None) -> Target:
    data = name.encode()
    hashes = {"sha256": hashlib.sha256(data).digest()}
    if sha512:
        hashes["sha512"] = hashlib.sha512(data).digest()
    return Target(name, len(data), hashes, custom)


def file(*targets: Target, **changes: Any) -> bytes:
    made = Targets(version=3, expires=EXPIRES, targets={item.name: item for item in targets}, **changes)
    signature = KEY.signature(KEY.key_id, Envelope.build(made.to_signed(), ()).payload)
    return Envelope.build(made.to_signed(), (signature,)).raw


def read_anyhow(data: bytes) -> tuple[Any, tuple[Signature, ...], bytes]:
    """Read a file as any JSON is read: the oracle."""
    members = shape.members(canonical.parse(data), "the file", ("signed", "signatures"))
    signed = shape.mapping(members["signed"], "signed")
    signatures = shape.list_or_null(members["signatures"], "signatures")
    return signed, tuple(Signature.from_json(item) for item in signatures), canonical.encode(signed)


def outcome(read: Any, data: bytes) -> Any:
    try:
        return read(data)
    except MalformedMetadata:
        return MalformedMetadata


def require_same(data: bytes) -> None:
    def swept(data: bytes) -> Any:
        envelope = Envelope.parse(data)
        return envelope.signed, envelope.signatures, envelope.payload

    assert outcome(swept, data) == outcome(read_anyhow, data)
    envelope = outcome(Envelope.parse, data)
    if isinstance(envelope, Envelope):
        assert outcome(Targets.from_envelope, envelope) == outcome(Targets.from_signed, envelope.signed)


PLAIN = file(target("1.0"), target("1.1"), target("latest"))
WITH_SHA512 = file(*[target(name, sha512=True) for name in "abc"])
DELEGATING = file(
    target("v1"), keys={KEY.key_id: KEY.public}, delegations=(Delegation("targets/a", (KEY.key_id,), 1, ("",)),)
)


@pytest.mark.parametrize("data", [PLAIN, WITH_SHA512, DELEGATING], ids=["plain", "with SHA-512", "delegating"])
def test_what_clients_write_is_swept(data: bytes) -> None:
    assert isinstance(Envelope.parse(data), ListedEnvelope)
    require_same(data)


@pytest.mark.parametrize(
    "data",
    [
        file(target("with custom", custom={"a": 1})),
        file(target("ä")),
        file(target("a", sha512=True), target("b"), target("c", sha512=True)),
        file(target("a"), target("b", sha512=True)),
        file(target('"quoted"')),
        file(target("<b>")),
        file(),
        PLAIN.replace(b",", b", "),
        PLAIN.replace(b'"1.0"', b'"1.9"'),
        PLAIN.replace(b'"1.0"', b'"1.1"'),
        PLAIN.replace(b'"length":3', b'"length":03', 1),
        PLAIN.replace(b'"length":3', b'"length":3.0', 1),
        PLAIN.replace(b'"length":3', b'"length":-3', 1),
        PLAIN.replace(b'"length":3', b'"length":9007199254740992', 1),
        PLAIN.replace(b'"length":3', b'"length":3,"length":3', 1),
        PLAIN.replace(b'"length":3', b'"length":3,"Length":3', 1),
        PLAIN.replace(b'}},"version"', b'}},"targets":{},"version"'),
        PLAIN.replace(b'"delegations":{', b'"delegations":{"a":1,"targets":{},'),
        PLAIN.replace(b'"version":3', b'"version":3,"version":3'),
        PLAIN.replace(b'"version":3', b'"version":3.0'),
        PLAIN.replace(b'"version":3}', b'"version":3} '),
        PLAIN.replace(b'"signatures":', b'"extra":1,"signatures":'),
        PLAIN.replace(b',"signatures":', b',"signatures":[],"signatures":'),
        PLAIN[:-1] + b',"signed":{}}',
        PLAIN + b"{}",
        PLAIN.replace(b'"},"length":3},"1.1"', b'"},"length":3};"1.1"'),
        PLAIN.replace(b'"},"length":3},"1.1"', b'"},"length":3},,"1.1"'),
        PLAIN.replace(b'"},"length":3},"1.1"', b'"},"length":3}"1.1"'),
    ],
)
def test_another_form_reads_as_any_json_does(data: bytes) -> None:
    require_same(data)


@given(
    st.sampled_from([PLAIN, WITH_SHA512, DELEGATING]), st.integers(0, 2000), st.binary(max_size=3), st.integers(0, 3)
)
@example(PLAIN, 0, b"", 0)
def test_a_changed_piece_reads_as_any_json_does(data: bytes, at: int, piece: bytes, cut: int) -> None:
    at %= len(data)
    require_same(data[:at] + piece + data[at + cut :])


@given(st.sampled_from([PLAIN, WITH_SHA512, DELEGATING]), st.integers(0, 500), st.integers(0, 500))
def test_pieces_in_another_order_read_as_any_json_does(data: bytes, one: int, other: int) -> None:
    pieces = data.split(b",")
    one, other = one % len(pieces), other % len(pieces)
    pieces[one], pieces[other] = pieces[other], pieces[one]
    require_same(b",".join(pieces))


def test_a_list_is_a_mapping_of_targets() -> None:
    tags = Targets.from_envelope(Envelope.parse(WITH_SHA512)).targets
    assert isinstance(tags, TagList)
    assert dict(tags) == {name: target(name, sha512=True) for name in "abc"}
    assert (tags["a"].digest, tags.digest("a"), tags.digest("x")) == (tags.digests[0], tags.digests[0], None)
    assert "a" in tags
    assert "x" not in tags
    assert len(tags) == 3
    with pytest.raises(KeyError):
        tags["x"]


def test_what_is_read_is_written_back_byte_for_byte() -> None:
    envelope = Envelope.parse(WITH_SHA512)
    assert Envelope.build(Targets.from_envelope(envelope).to_signed(), envelope.signatures).raw == WITH_SHA512


def test_an_equal_list_is_read_once_while_somebody_holds_it() -> None:
    data = json.dumps({"x": {"hashes": {"sha256": base64.b64encode(bytes(32)).decode()}, "length": 1}}).replace(" ", "")
    members = data[1:-1].encode()
    first = read_tags(members, 0, len(members))
    assert first is not None
    again = b"??" + members
    assert read_tags(again, 2, len(again)) is first
    assert read_tags(again.replace(b'"x"', b'"y"'), 2, len(again)) is not first
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None, "nobody held it any more"


def test_equal_ends_do_not_make_equal_lists() -> None:
    names = [f"tag-{number:04d}" for number in range(50)]
    one = file(*[target(name) for name in names])
    digest = base64.b64encode(hashlib.sha256(names[25].encode()).digest())
    swapped = base64.b64encode(random.Random(1).randbytes(32))
    lists = [Targets.from_envelope(Envelope.parse(data)).targets for data in (one, one.replace(digest, swapped))]
    assert lists[0] != lists[1]


NAMES = st.text(alphabet='ab19.-_"\\ä', min_size=1, max_size=4)


@given(
    st.lists(NAMES, min_size=1, max_size=6, unique=True), NAMES, st.booleans(), st.booleans(), st.integers(0, 10**17)
)
def test_putting_a_target_in_is_what_a_dictionary_does(
    names: list[str], name: str, had_sha512: bool, has_sha512: bool, length: int
) -> None:
    known = {item: target(item, sha512=had_sha512) for item in names}
    file_ = Targets.from_envelope(Envelope.parse(file(*known.values())))
    added = replace(target(name, sha512=has_sha512), length=length)
    edited = file_.with_target(added)
    assert dict(edited.targets) == {**known, name: added}
    assert edited.to_signed() == replace(file_, targets={**known, name: added}).to_signed()
    assert (edited.targets == file_.targets) == (known.get(name) == added)
    assert file_.targets == known, "the list itself stays as it was"


def test_lists_are_equal_whatever_reads_them() -> None:
    one, other = (Targets.from_envelope(Envelope.parse(data)).targets for data in (PLAIN, PLAIN + b""))
    assert one == other == dict(one.items())
    assert one != Targets.from_envelope(Envelope.parse(WITH_SHA512)).targets
    assert one != {}


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.data(), st.booleans())
def test_taking_a_target_out_is_what_a_dictionary_does(names: list[str], data: st.DataObject, has_sha512: bool) -> None:
    known = {item: target(item, sha512=has_sha512) for item in names}
    file_ = Targets.from_envelope(Envelope.parse(file(*known.values())))
    name = data.draw(st.sampled_from(names))
    left = file_.without_target(name)
    assert dict(left.targets) == {item: known[item] for item in names if item != name}
    assert dict(file_.targets) == known


@given(
    st.lists(st.text(alphabet="ab<&19.-", min_size=1, max_size=4), min_size=1, max_size=6, unique=True),
    NAMES,
    st.booleans(),
    st.sampled_from(["", "team<1>", '"targets":{}']),
)
def test_a_file_is_written_as_the_writer_of_any_json_does(
    names: list[str], name: str, has_sha512: bool, path: str
) -> None:
    """Byte for byte, whether a list was read before or not; and it reads as it was written."""
    read = Targets.from_envelope(Envelope.parse(file(*(target(item, sha512=has_sha512) for item in names))))
    delegation = Delegation("targets/alice", (KEY.key_id,), 1, (path,))
    for made in (read, read.with_target(target(name, sha512=has_sha512)), read.without_target(names[0])):
        whole = replace(made, keys={KEY.key_id: KEY.public}, delegations=(delegation,))
        unsigned = whole.unsigned()
        signature = KEY.signature(KEY.key_id, unsigned.payload)
        written = unsigned.with_signatures((signature,))
        expected = Envelope.build(whole.to_signed(), (signature,))
        assert (written.raw, written.payload, written.signed) == (expected.raw, expected.payload, expected.signed)
        assert Targets.from_envelope(Envelope.parse(written.raw)) == Targets.from_envelope(written) == whole


@given(*[st.dictionaries(NAMES, st.sampled_from("pq"), min_size=1, max_size=6)] * 2, st.booleans())
def test_what_two_lists_do_not_share(one: dict[str, str], other: dict[str, str], has_sha512: bool) -> None:
    lists = []
    for entries in (one, other):
        targets = [replace(target(content, sha512=has_sha512), name=name) for name, content in entries.items()]
        lists.append(Targets.from_envelope(Envelope.parse(file(*targets))).targets)
    first, second = lists
    if isinstance(first, TagList) and isinstance(second, TagList):
        unlike = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        assert first.names_unlike(second) == unlike


def test_roles_with_the_same_list_share_its_next_one() -> None:
    read = Targets.from_envelope(Envelope.parse(PLAIN))
    added = target("new")
    assert read.with_target(added).targets is not read.targets
    first = read.with_target(added)
    assert read.with_target(added).targets is first.targets
    assert read.with_target(target("newer")).targets is not first.targets
