"""The chain in the database: every event follows the one before, and no act goes unrecorded."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections

from signing import chain
from signing.jobs.audit import sign_audit_head
from signing.models import Account, AuditEvent, AuditHead, Happening, Membership
from signing.selectors import audit
from signing.services.audit import record
from signing.services.members import set_member
from signing.trust.evidence.audit_check import Wrong
from signing.trust.evidence.audit_log import GENESIS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> factories.Cast:
    return factories.make_cast()


@pytest.fixture(autouse=True)
def witness(tmp_path: Path, settings: object) -> Path:
    path = tmp_path / "head.json"
    settings.AUDIT_WITNESS = str(path)  # type: ignore[attr-defined]  # pytest-django's settings take any name
    return path


def write(cast: factories.Cast, times: int = 3) -> None:
    for number in range(times):
        record(cast.lead, "approve_request", account=cast.account, subject=f"app{number}", reason="é", names=["<b>", 2])


def wrongs() -> list[tuple[Wrong, int]]:
    return [(finding.wrong, finding.number) for finding in audit.check_chain().findings]


def test_events_are_numbered_and_linked(cast: factories.Cast) -> None:
    write(cast)
    events = list(AuditEvent.objects.order_by("number"))
    assert [event.number for event in events] == [1, 2, 3]
    assert [event.previous_hash for event in events] == [GENESIS, events[0].event_hash, events[1].event_hash]
    assert audit.check_chain().is_whole


def test_names_stay_when_the_account_goes(cast: factories.Cast) -> None:
    record(cast.admin, "create_account", account=cast.foreign, subject="other")
    Account.objects.filter(pk=cast.foreign.pk).delete()
    assert AuditEvent.objects.get().account_name == "other"
    assert audit.check_chain().is_whole


def test_an_edit_in_the_database_is_found(cast: factories.Cast) -> None:
    write(cast)
    AuditEvent.objects.filter(number=2).update(actor_name="eve")
    assert wrongs() == [(Wrong.EDITED, 2)]


def test_a_deletion_in_the_database_is_found(cast: factories.Cast) -> None:
    write(cast)
    AuditEvent.objects.filter(number=2).delete()
    assert (Wrong.MISSING, 2) in wrongs()


def test_an_act_whose_event_cannot_be_written_is_refused(cast: factories.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(chain, "append", broken)
    before = list(Membership.objects.values())
    with pytest.raises(DatabaseError):
        set_member(actor=cast.lead, account=cast.account, user=cast.developer, role="signer")
    assert list(Membership.objects.values()) == before


def test_the_signing_worker_signs_the_end_once(cast: factories.Cast, witness: Path) -> None:
    write(cast)
    sign_audit_head()
    sign_audit_head()
    assert [head.number for head in AuditHead.objects.all()] == [3]
    assert json.loads(witness.read_text())["number"] == 3
    assert audit.check_chain().covered == 3
    write(cast, 1)
    assert audit.check_chain().covered == 3
    sign_audit_head()
    assert audit.check_chain().covered == 4


def test_an_empty_log_needs_no_head(witness: Path) -> None:
    sign_audit_head()
    assert not AuditHead.objects.exists()
    assert not witness.exists()


@pytest.mark.parametrize("bend", ["restore", "rewrite", "edit"])
def test_a_bent_log_is_not_signed_and_told_once(cast: factories.Cast, bend: str) -> None:
    write(cast)
    sign_audit_head()
    if bend == "restore":
        AuditHead.objects.all().delete()
        AuditEvent.objects.filter(number__gte=2).delete()
    elif bend == "rewrite":
        AuditHead.objects.all().delete()
        AuditEvent.objects.all().delete()
        write(cast, 5)
    else:
        write(cast, 2)
        AuditEvent.objects.filter(number=4).update(subject="other")
    sign_audit_head()
    sign_audit_head()
    assert not AuditHead.objects.filter(number__gt=3).exists()
    assert [happening.event for happening in Happening.objects.all()] == ["drift"]


def test_without_its_file_the_worker_checks_from_the_beginning(cast: factories.Cast, witness: Path) -> None:
    write(cast)
    sign_audit_head()
    witness.write_text("not json")
    write(cast, 1)
    sign_audit_head()
    assert AuditHead.objects.filter(number=4).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite in memory has one writer")
def test_writers_at_once_make_one_chain() -> None:
    cast = factories.make_cast()
    start = threading.Barrier(8)

    def act() -> None:
        start.wait()
        write(cast, 5)
        connections.close_all()

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert AuditEvent.objects.count() == 40
    assert audit.check_chain().is_whole
