"""The quick way of reading finds what the strict one finds, and nothing that it refuses."""

from __future__ import annotations

import random

import pytest

from signing.trust.errors import MalformedMetadata
from signing.trust.notary import upload_reading
from signing.trust.notary.upload_reading import outline_of, read_file, read_targets
from signing.trust.tuf.metadata import Envelope, ListedEnvelope, Targets
from tests.unit.trust.notary.publisher import Publisher, tag

SIGNED = b'{"signed":%b,"signatures":[]}'


def parts_of(file: Envelope) -> tuple[object, ...]:
    return file.signed, file.signatures, file.raw, file.payload


def outcome(data: bytes, quickly: bool) -> object:
    """Give what reading finds, or that it refuses."""
    try:
        found = read_file(data) if quickly else upload_reading._read_any(data)
    except MalformedMetadata:
        return "refused"
    return parts_of(found)


def test_what_clients_write_is_read_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Publisher().tags(targets=tag("v1") | tag("1.2e3"))
    expected = Envelope.parse(data)
    monkeypatch.delattr(upload_reading, "_read_any")
    assert parts_of(read_file(data)) == parts_of(expected)


@pytest.mark.parametrize(
    "signed",
    [
        b'{"a":1.5}',
        b'{"a":1e3}',
        b'{"a":-1.0}',
        b'{"a":[1.5]}',
        b'{"a":[1,-1.5]}',
        b'{"a":[[0],1.0]}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":9007199254740992}',
        b'{"a":9007199254740993}',
        b'{"a":-9007199254740992}',
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"a":1}}',
        b"[]",
        b"null",
    ],
)
def test_what_is_refused_is_refused_quickly_too(signed: bytes) -> None:
    assert outcome(SIGNED % signed, quickly=False) == "refused"
    assert outcome(SIGNED % signed, quickly=True) == "refused"


@pytest.mark.parametrize(
    "data",
    [
        b'{"signed":{},"signatures":[],"more":1}',
        b'{"signatures":[],"signed":{}}',
        b'{"signed":{},"signatures":[]}\n',
        b'{"signed":{},"signatures":null}',
        b'{"signed":{},"signatures":[{}]}',
        b'{"signed":{"b":1,"a":2},"signatures":[]}',
        b'{"signed":{"a":"<"},"signatures":[]}',
        b'{"signed":{"a":"\\u003c"},"signatures":[]}',
        b'{"signed":{"a":9007199254740991},"signatures":[]}',
        b'{"signed":{"a":"x,1.5"},"signatures":[]}',
        b'{"signed":{"a":-0},"signatures":[]}',
    ],
)
def test_other_forms_are_read_alike(data: bytes) -> None:
    assert outcome(data, quickly=True) == outcome(data, quickly=False)


@pytest.mark.parametrize("seed", range(10))
def test_damage_is_read_alike(seed: int) -> None:
    chance = random.Random(seed)
    good = Publisher().tags(targets=tag("v1") | tag("v2"))
    for _ in range(200):
        data = bytearray(good)
        at = chance.randrange(len(data))
        data[at : at + chance.randrange(3)] = chance.choices(b'0123456789.eE-+,:"{}[]\\ a\xc3', k=chance.randrange(3))
        assert outcome(bytes(data), quickly=True) == outcome(bytes(data), quickly=False)


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"hashes": {}, "length": 1},
        {"hashes": {"sha256": "AA=="}, "length": 1},
        {"hashes": {"sha256": "A" * 43 + "="}, "length": -1},
        {"hashes": {"sha256": "A" * 43 + "="}, "length": True},
        {"hashes": {"sha256": "A" * 42 + "*="}, "length": 1},
        {"hashes": {"sha256": "A" * 43 + "=", "sha512": "AA=="}, "length": 1},
        {"hashes": {"sha256": "A" * 43 + "="}, "Length": 1, "length": 1},
        {"hashes": None, "length": 1},
        "text",
        None,
    ],
)
def test_targets_that_are_none_are_refused(entry: object) -> None:
    signed = Publisher().targets_metadata().to_signed() | {"targets": {"v1": entry}}
    with pytest.raises(MalformedMetadata):
        Targets.from_signed(signed)
    with pytest.raises(MalformedMetadata):
        read_targets(Envelope(signed, (), b""))


def test_targets_are_checked_and_left_out() -> None:
    signed = Publisher().targets_metadata(targets=tag("v1")).to_signed()
    signed["targets"]["v2"] = signed["targets"]["v1"] | {"custom": {"any": [1]}}
    found = read_targets(Envelope(signed, (), b""))
    assert (found.targets, found.delegations) == ({}, Targets.from_signed(signed).delegations)
    assert set(signed["targets"]) == {"v1", "v2"}


def test_a_list_of_tags_is_read_apart_and_left_out() -> None:
    data = Publisher().tags(targets=tag("v1") | tag("v2"))
    read = read_file(data)
    assert isinstance(read, ListedEnvelope)
    found, expected = read_targets(read), Targets.from_signed(Envelope.parse(data).signed)
    assert (found.targets, found.version, found.expires) == ({}, expected.version, expected.expires)
    assert outline_of(read)["targets"] == {}
    assert "signed" not in read.__dict__, "the whole list was read once more"
