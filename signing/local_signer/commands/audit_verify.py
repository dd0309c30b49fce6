"""`trustctl audit verify FILE`: is this the log that was written? Needs no server and no product."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, say, say_json
from signing.trust.errors import InvalidInput
from signing.trust.evidence.audit_check import Report, check_log
from signing.trust.evidence.audit_file import AuditFile, head_line, read_head
from signing.trust.tuf.keys import PublicKey


def run(session: Session, arguments: Namespace) -> Exit:
    """Check the chain and its heads; done only if nothing is wrong and a signature vouches for it."""
    file = AuditFile.open(arguments.file)
    given = _key(arguments.key) if arguments.key else None
    key = given or file.public_key
    known = read_head(arguments.head) if arguments.head else None
    entries = list(file.entries())
    report = check_log(entries, file.heads, key, known)
    if arguments.json:
        say_json(_json(report, key, is_given=given is not None))
    else:
        _print(report, key, is_given=given is not None)
    if arguments.save_head and report.is_whole and file.heads:
        arguments.save_head.write_bytes(head_line(max(file.heads, key=lambda head: head.number)))
    return Exit.DONE if report.is_whole and report.covered else Exit.FAILED


def _key(path: Path) -> PublicKey:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name the PEM file of the log's public key.")
    return PublicKey.from_pem(path.read_bytes())


def _print(report: Report, key: PublicKey | None, *, is_given: bool) -> None:
    for finding in report.findings:
        complain(finding.sentence)
    if report.is_whole:
        say(f"{report.entries} events, unbroken up to event {report.last_number}.")
    if key is None or not report.covered:
        complain("No signed head vouches for any of it. Export the log again in a minute, when its end is signed.")
        return
    say(f"Signatures of the key {key.key_id} vouch for the events up to {report.covered}.")
    if not is_given:
        say("That key was taken from the file itself: compare its id with the log's keeper, or give it with --key.")


def _json(report: Report, key: PublicKey | None, *, is_given: bool) -> dict[str, object]:
    return {
        "whole": report.is_whole,
        "entries": report.entries,
        "last": {"number": report.last_number, "hash": report.last_hash},
        "covered": report.covered,
        "key": {"id": key.key_id if key else "", "given": is_given},
        "findings": [
            {"wrong": finding.wrong.value, "number": finding.number, "sentence": finding.sentence}
            for finding in report.findings
        ],
    }
