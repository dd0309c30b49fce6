"""Staged changes in notary's own files."""

from __future__ import annotations

import json

import pytest

from signing.trust.errors import MalformedMetadata
from signing.trust.notary.changelist import Change
from tests.unit.trust import samples


def notarys() -> list[bytes]:
    return [path.read_bytes() for path in sorted((samples.DATA / "changelist").glob("*.change"))]


def test_what_notary_staged_is_read() -> None:
    changes = [Change.parse(data) for data in notarys()]
    assert [(change.action, change.kind, change.role) for change in changes] == [
        ("create", "target", "targets/alice"),
        ("create", "delegation", "targets/carol"),
        ("create", "delegation", "targets/carol"),
        ("update", "witness", "targets/releases"),
    ]
    assert (changes[0].target.name, changes[0].target.length) == ("staged", 523)
    assert [len(change.keys) for change in changes[1:3]] == [1, 0]
    assert changes[2].texts("add_paths") == ("",)


def test_what_was_read_is_written_as_the_same_change() -> None:
    for data in notarys():
        change = Change.parse(data)
        assert Change.parse(change.to_file()) == change
        ours, theirs = json.loads(change.to_file()), json.loads(data)
        assert list(ours) == list(theirs)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"action":"create","role":"targets","type":"target","path":"v1"}x',
        b'{"action":"create","role":"targets","type":"target","path":"v1","data":"%"}',
        b'{"action":"create","role":"targets","type":"target","path":"v1","data":"e30"}',
        b'{"action":"destroy","role":"targets","type":"target","path":"v1","data":null}',
        b'{"action":"create","role":"targets","type":"role","path":"","data":null}',
        b'{"action":{},"role":"targets","type":"target","path":"v1","data":null}',
    ],
)
def test_what_is_no_staged_change(data: bytes) -> None:
    with pytest.raises(MalformedMetadata):
        Change.parse(data)
