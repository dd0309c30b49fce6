"""Every way to bend an audit log is found: one named test each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from signing.local_signer.main import main
from signing.trust.errors import DamagedArchive, InvalidInput
from signing.trust.evidence import audit_file
from signing.trust.evidence.audit_check import Report, Wrong, check_log
from signing.trust.evidence.audit_log import GENESIS, Entry, Head, entry_hash, head_payload
from signing.trust.keystore.base import PrivateKey

KEY = PrivateKey.generate()


def fields(number: int, previous: str, subject: str = "app") -> dict[str, Any]:
    return {
        "number": number,
        "at": f"2026-11-25T10:00:{number:02}.000000Z",
        "actor": "lea",
        "action": "approve_request",
        "account": "team",
        "subject": subject,
        "reason": "",
        "detail": {"request": number, "names": ["é", "<b>"]},
        "correlation": "",
        "previous_hash": previous,
    }


def entry(number: int, previous: str, subject: str = "app") -> Entry:
    said = fields(number, previous, subject)
    return Entry(number, previous, entry_hash(said), said)


def chain(length: int, subject: str = "app") -> list[Entry]:
    made: list[Entry] = []
    for number in range(1, length + 1):
        made.append(entry(number, made[-1].hash if made else GENESIS, subject))
    return made


def head(log: Sequence[Entry], number: int, key: PrivateKey = KEY) -> Head:
    at = "2026-11-25T11:00:00.000000Z"
    _, signature = key.sign(head_payload(number, log[number - 1].hash, at))
    return Head(number, log[number - 1].hash, at, key.key_id, signature)


def check(log: Sequence[Entry], heads: Sequence[Head] = (), known: Head | None = None) -> Report:
    return check_log(log, heads, KEY.public, known)


def wrongs(report: Report) -> list[tuple[Wrong, int]]:
    return [(finding.wrong, finding.number) for finding in report.findings]


def test_a_log_as_it_was_written_is_whole_and_vouched_for() -> None:
    log = chain(9)
    report = check(log, [head(log, 4), head(log, 9)])
    assert report.is_whole
    assert (report.entries, report.last_number, report.covered) == (9, 9, 9)


def test_what_no_head_covers_is_not_vouched_for() -> None:
    log = chain(9)
    assert check(log, [head(log, 4)]).covered == 4
    assert check(log).covered == 0
    assert check_log(log, [head(log, 9)]).covered == 0  # without a key nothing can vouch


def test_an_edited_event_is_found() -> None:
    log = chain(5)
    log[2] = replace(log[2], fields={**log[2].fields, "actor": "eve"})
    report = check(log, [head(log, 5)])
    assert wrongs(report) == [(Wrong.EDITED, 3)]
    assert report.covered == 2


@pytest.mark.parametrize("member", ["number", "at", "actor", "action", "account", "subject", "reason", "correlation"])
def test_no_member_can_be_edited(member: str) -> None:
    log = chain(3)
    log[1] = replace(log[1], fields={**log[1].fields, member: 7 if member == "number" else "other"})
    assert (Wrong.EDITED, 2) in wrongs(check(log))


def test_an_edited_detail_is_found() -> None:
    log = chain(3)
    log[1] = replace(log[1], fields={**log[1].fields, "detail": {}})
    assert wrongs(check(log)) == [(Wrong.EDITED, 2)]


def test_an_edited_event_with_its_hash_made_anew_is_found_by_the_next_one() -> None:
    log = chain(5)
    log[2] = entry(3, log[1].hash, "other")
    assert wrongs(check(log)) == [(Wrong.RELINKED, 4)]


def test_a_rewritten_rest_is_found_by_the_signed_head() -> None:
    log = chain(6)
    signed = head(log, 5)
    rewritten = log[:2]
    for number in range(3, 7):
        rewritten.append(entry(number, rewritten[-1].hash, "other"))
    report = check(rewritten, [head(log, 2), signed])
    assert wrongs(report) == [(Wrong.REWRITTEN, 5)]
    assert report.covered == 2


def test_a_deleted_event_is_found() -> None:
    log = chain(6)
    del log[2]
    assert (Wrong.MISSING, 3) in wrongs(check(log))


def test_the_deleted_beginning_is_found() -> None:
    assert (Wrong.MISSING, 1) in wrongs(check(chain(6)[2:]))


def test_reordered_events_are_found() -> None:
    log = chain(6)
    log[2], log[3] = log[3], log[2]
    assert {wrong for wrong, _ in wrongs(check(log))} >= {Wrong.MISSING, Wrong.REORDERED}


def test_an_inserted_event_is_found() -> None:
    log = chain(4)
    log.insert(2, entry(2, log[0].hash, "forged"))
    assert (Wrong.INSERTED, 2) in wrongs(check(log))


def test_a_cut_off_end_is_found_by_the_signed_head() -> None:
    log = chain(6)
    assert wrongs(check(log[:4], [head(log, 6)])) == [(Wrong.TRUNCATED, 5)]


def test_an_older_state_put_back_is_found_by_a_head_kept_elsewhere() -> None:
    log = chain(6)
    older = log[:4]
    report = check(older, [head(log, 4)], known=head(log, 6))
    assert wrongs(report) == [(Wrong.RESTORED, 5)]


def test_a_log_begun_anew_is_found_by_a_head_kept_elsewhere() -> None:
    assert wrongs(check(chain(6, "other"), known=head(chain(6), 3))) == [(Wrong.RESTORED, 3)]


def test_a_head_signed_by_another_key_is_found() -> None:
    log = chain(3)
    report = check(log, [head(log, 3, PrivateKey.generate())])
    assert wrongs(report) == [(Wrong.BAD_HEAD, 3)]
    assert report.covered == 0


def test_a_withheld_event_still_links() -> None:
    log = chain(5)
    withheld = [replace(one, fields=None) if one.number in (2, 3) else one for one in log]
    assert check(withheld, [head(log, 5)]).is_whole
    del withheld[1]
    assert not check(withheld, [head(log, 5)]).is_whole


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    log = chain(8)
    path = tmp_path / "audit.jsonl"
    entries = [{**one.fields, "hash": one.hash} for one in log if one.fields]
    pem = KEY.public.to_pem()
    path.write_bytes(b"".join(audit_file.lines("2026-11-25T12:00:00.000000Z", pem, entries, [head(log, 8)])))
    (tmp_path / "key.pem").write_text(pem)
    return path


def edited(path: Path, number: int, old: bytes, new: bytes) -> None:
    rows = path.read_bytes().splitlines(keepends=True)
    assert old in rows[number]
    rows[number] = rows[number].replace(old, new)
    path.write_bytes(b"".join(rows))


def test_the_command_checks_an_exported_log(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(exported.with_name("key.pem"))
    kept = exported.with_name("last.head")
    assert main(["audit", "verify", str(exported), "--key", key, "--save-head", str(kept)]) == 0
    assert "8 events, unbroken" in capsys.readouterr().out
    assert main(["audit", "verify", str(exported), "--key", key, "--head", str(kept), "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["whole"], told["covered"], told["key"]["given"]) == (True, 8, True)


def test_the_command_says_where_the_key_came_from(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", str(exported)]) == 0
    assert "taken from the file itself" in capsys.readouterr().out


def test_the_command_names_the_changed_event(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited(exported, 3, b'"lea"', b'"eve"')
    assert main(["audit", "verify", str(exported)]) == 1
    assert "Event 3 does not say what it said." in capsys.readouterr().err


def test_the_command_refuses_another_key(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported.with_name("key.pem").write_text(PrivateKey.generate().public.to_pem())
    assert main(["audit", "verify", str(exported), "--key", str(exported.with_name("key.pem"))]) == 1
    assert "not signed with the log's key" in capsys.readouterr().err


def test_a_file_that_was_cut_off_is_refused(exported: Path) -> None:
    exported.write_bytes(b"".join(exported.read_bytes().splitlines(keepends=True)[:-2]))
    with pytest.raises(DamagedArchive, match="cut off"):
        list(audit_file.AuditFile.open(exported).entries())


def test_lines_taken_out_of_a_file_are_found(exported: Path) -> None:
    rows = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join([*rows[:8], *rows[9:]]))  # the last event, so that no number is missing between
    with pytest.raises(DamagedArchive, match="taken out"):
        list(audit_file.AuditFile.open(exported).entries())


@pytest.mark.parametrize("junk", [b"", b"{}\n", b"[1]\n", b"\xff\xfe", b'{"audit_log": 3}\n', b"null\n"])
def test_any_other_file_is_refused(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk"
    path.write_bytes(junk)
    with pytest.raises((InvalidInput, DamagedArchive)):
        audit_file.AuditFile.open(path)


@pytest.mark.parametrize(
    "row",
    [
        {"number": 0, "previous_hash": GENESIS, "hash": GENESIS},
        {"number": True, "previous_hash": GENESIS, "hash": GENESIS},
        {"number": "1", "previous_hash": GENESIS, "hash": GENESIS},
        {"previous_hash": GENESIS, "hash": GENESIS},
        {"number": 1, "previous_hash": GENESIS, "hash": GENESIS, "action": "x"},
    ],
)
def test_an_entry_that_cannot_be_read_is_refused(exported: Path, row: dict[str, Any]) -> None:
    rows = exported.read_bytes().splitlines(keepends=True)
    rows[1] = orjson.dumps({"entry": row}) + b"\n"
    exported.write_bytes(b"".join(rows))
    with pytest.raises(DamagedArchive):
        list(audit_file.AuditFile.open(exported).entries())
