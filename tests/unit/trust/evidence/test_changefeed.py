"""The server's own list of when it took what."""

from __future__ import annotations

import json

import pytest

from signing.trust.errors import BadResponse
from signing.trust.evidence.changefeed import read_changes
from signing.trust.evidence.manifest import Manifest, Record
from signing.trust.notary.gun import Gun
from tests.simulator import GUN


def record(number: int, category: str = "update") -> dict[str, object]:
    sha256 = "" if category == "deletion" else f"{number:064x}"
    version = 0 if category == "deletion" else number
    at = f"2026-11-24T12:00:{number:02}.5Z"
    return {"ID": str(number), "CreatedAt": at, "GUN": GUN, "Version": version, "SHA256": sha256, "Category": category}


def feed(*records: dict[str, object], page: int = 2) -> object:
    asked: list[str] = []

    def pages(after: str, most: int) -> bytes:
        asked.append(after)
        found = [item for item in records if int(str(item["ID"])) > int(after)][:page]
        return json.dumps({"count": len(found), "records": found or None}).encode()

    pages.asked = asked  # type: ignore[attr-defined]
    return pages


def test_all_pages_are_read() -> None:
    changes = read_changes(feed(*(record(number) for number in range(1, 6))))  # type: ignore[arg-type]

    assert [row.number for row in changes] == ["1", "2", "3", "4", "5"]
    assert changes[0].sha256 == f"{1:064x}"


def test_a_later_run_reads_on() -> None:
    known = read_changes(feed(record(1), record(2, "deletion")))  # type: ignore[arg-type]
    later = feed(record(1), record(2, "deletion"), record(3))

    assert [row.category for row in read_changes(later, known)] == ["update", "deletion", "update"]  # type: ignore[arg-type]
    assert later.asked[0] == "2"  # type: ignore[attr-defined]


def test_a_server_without_one_is_no_failure() -> None:
    assert read_changes(lambda after, most: None) == ()


def test_what_was_read_survives_the_manifest() -> None:
    changes = read_changes(feed(record(1), record(2, "deletion")))  # type: ignore[arg-type]
    manifest = Manifest({Gun(GUN): Record(changes=changes)})

    assert Manifest.parse(manifest.to_bytes()) == manifest


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"records":[1]}',
        b'{"records":[{}]}',
        json.dumps({"records": [{**record(1), "ID": "../1"}]}).encode(),
        json.dumps({"records": [{**record(1), "SHA256": "XY"}]}).encode(),
        json.dumps({"records": [{**record(1), "CreatedAt": "yesterday"}]}).encode(),
        json.dumps({"records": [{**record(1), "Version": "1"}]}).encode(),
    ],
)
def test_anything_else_is_named(body: bytes) -> None:
    with pytest.raises(BadResponse, match="changefeed"):
        read_changes(lambda after, most: body)


def test_a_server_that_repeats_itself_ends_too() -> None:
    page = json.dumps({"records": [record(1)]}).encode()

    assert len(read_changes(lambda after, most: page)) == 1
