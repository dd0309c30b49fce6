"""The audit log's pages: who reads what, filters, addresses of events, exports and the check."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from django.test import Client

from signing.jobs.audit import sign_audit_head
from signing.local_signer.main import main
from signing.models import AuditEvent, User
from signing.services.audit import record
from tests.factories import Cast


@pytest.fixture
def log(cast: Cast, settings: object, tmp_path: Path) -> Cast:
    settings.AUDIT_WITNESS = str(tmp_path / "head.json")  # type: ignore[attr-defined]
    record(cast.lead, "approve_request", account=cast.account, subject="alice", reason="new in the team")
    record(cast.outsider, "create_repository", account=cast.foreign, subject="=1+1 <script>")
    record(cast.admin, "create_person", account=None, subject="dora", before={}, after={"role": "lead"})
    return cast


def whole(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("person", "numbers"),
    [("admin", {1, 2, 3}), ("lead", {1}), ("auditor", {1}), ("developer", set()), ("outsider", {2})],
)
def test_each_reads_the_events_of_their_accounts(
    log: Cast, as_person: Callable[[User], Client], person: str, numbers: set[int]
) -> None:
    client = as_person(getattr(log, person))
    for number in (1, 2, 3):
        assert (client.get(f"/audit/{number}/").status_code == 200) == (number in numbers)
    page = client.get("/audit/").content.decode()
    assert {number for number in (1, 2, 3) if f'href="/audit/{number}/"' in page} == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("q=alice", {1}),
        ("q=new in the team", {1}),
        ("action=create_person", {3}),
        ("actor=oscar", {2}),
        ("account=team", {1}),
        ("since=2001-01-01", {1, 2, 3}),
        ("until=2001-01-01", set()),
        ("since=2026-02-31", {1, 2, 3}),
        ("q=nothing of that", set()),
    ],
)
def test_filters_narrow_page_and_export_alike(
    log: Cast, as_person: Callable[[User], Client], query: str, numbers: set[int]
) -> None:
    client = as_person(log.admin)
    page = client.get(f"/audit/?{query}").content.decode()
    assert {number for number in (1, 2, 3) if f'href="/audit/{number}/"' in page} == numbers
    rows = list(csv.DictReader(io.StringIO(whole(client.get(f"/audit/download/csv/?{query}")).decode())))
    assert {int(row["number"]) for row in rows} == numbers
    assert {row["number"] for row in orjson.loads(whole(client.get(f"/audit/download/json/?{query}")))} == numbers


def test_an_event_shows_reason_before_after_and_hash(log: Cast, as_person: Callable[[User], Client]) -> None:
    page = as_person(log.admin).get("/audit/3/").content.decode()
    assert AuditEvent.objects.get(number=3).event_hash in page
    assert "{&quot;role&quot;:&quot;lead&quot;}" in page
    assert "new in the team" in as_person(log.lead).get("/audit/1/").content.decode()


def test_text_from_outside_is_text(log: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(log.admin)
    assert "<script>" not in client.get("/audit/2/").content.decode().replace("<script src", "")
    rows = list(csv.DictReader(io.StringIO(whole(client.get("/audit/download/csv/")).decode())))
    assert next(row for row in rows if row["number"] == "2")["subject"] == "'=1+1 <script>"


def test_the_check_tells_what_is_vouched_for(log: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(log.auditor)
    assert "no signature vouches" in client.get("/audit/check/").content.decode()
    sign_audit_head()
    assert "All 3 events are as they were written." in client.get("/audit/check/").content.decode()
    AuditEvent.objects.filter(number=2).update(subject="harmless")
    page = client.get("/audit/check/").content.decode()
    assert "The log was changed." in page
    assert "Event 2 does not say what it said." in page


@pytest.mark.parametrize("person", ["admin", "auditor", "developer"])
def test_the_exported_chain_verifies_elsewhere(
    log: Cast, as_person: Callable[[User], Client], person: str, tmp_path: Path
) -> None:
    sign_audit_head()
    client = as_person(getattr(log, person))
    (tmp_path / "audit.jsonl").write_bytes(whole(client.get("/audit/download/chain/")))
    (tmp_path / "key.pem").write_bytes(client.get("/audit/key.pem").content)
    assert main(["audit", "verify", str(tmp_path / "audit.jsonl"), "--key", str(tmp_path / "key.pem")]) == 0
    text = (tmp_path / "audit.jsonl").read_text()
    assert ("dora" in text) == (person == "admin")


def test_an_unknown_form_is_not_found(log: Cast, as_person: Callable[[User], Client]) -> None:
    assert as_person(log.admin).get("/audit/download/exe/").status_code == 404
