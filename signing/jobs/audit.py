"""Sign the end of the audit log, unless the log is not what this worker saw before."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils import timezone

from signing import addresses
from signing.announcing import announce
from signing.chain import entry_of, stamp
from signing.models import AuditEvent, AuditHead, Event, Happening
from signing.trust.errors import DamagedArchive
from signing.trust.evidence.audit_check import check_log
from signing.trust.evidence.audit_log import GENESIS, Entry, Head, head_payload
from signing.trust.keystore.base import PrivateKey

TOLD_AGAIN_AFTER = timedelta(days=1)

_log = structlog.get_logger(__name__)


def sign_audit_head() -> None:
    """Check what was added since the last head, and sign the new end.

    The last head is also remembered in a file beside this worker: whoever changes the database, or puts back an older
    state of it, does not change that file. Where the two differ nothing is signed any more, and people are told.
    """
    newest = AuditEvent.objects.order_by("-number").first()
    seen = _remembered()
    if problem := _problem(newest, seen):
        _tell(problem)
    elif newest and (seen is None or newest.number > seen.number):
        _remember(_sign(newest))


def _problem(newest: AuditEvent | None, seen: Head | None) -> str:
    """Say what is wrong with the log since the head this worker remembers; empty if nothing is."""
    number, hash_ = (seen.number, seen.hash) if seen else (0, GENESIS)
    if seen and (newest is None or newest.number < number):
        return f"The audit log ends before event {number}, which was there already."
    if seen and not AuditEvent.objects.filter(number=number, event_hash=hash_).exists():
        return f"Event {number} of the audit log is another one than before."
    added = AuditEvent.objects.filter(number__gt=number).order_by("number").iterator(chunk_size=1000)
    entries = (Entry(event.number, event.previous_hash, event.event_hash, entry_of(event)) for event in added)
    report = check_log(entries, [], after=(number, hash_))
    return report.findings[0].sentence if report.findings else ""


def _sign(newest: AuditEvent) -> Head:
    key = PrivateKey(load_pem_private_key(settings.AUDIT_KEY.encode(), password=None))
    now = timezone.now()
    _, signature = key.sign(head_payload(newest.number, newest.event_hash, stamp(now)))
    head = Head(newest.number, newest.event_hash, stamp(now), key.key_id, signature)
    row = {"event_hash": head.hash, "at": now, "key_id": head.key_id, "signature": head.to_json()["signature"]}
    AuditHead.objects.update_or_create(number=head.number, defaults=row)
    return head


def _remembered() -> Head | None:
    path = Path(settings.AUDIT_WITNESS)
    try:
        return Head.from_json(json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, DamagedArchive):
        _log.error("audit.witness_unreadable", file=path.name)
        return None


def _remember(head: Head) -> None:
    path = Path(settings.AUDIT_WITNESS)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(json.dumps(head.to_json()))
    unfinished.replace(path)


def _tell(problem: str) -> None:
    """Tell people once a day, and the log each time."""
    _log.error("audit.bent", problem=problem)
    told = Happening.objects.filter(event=Event.DRIFT, subject=problem, at__gt=timezone.now() - TOLD_AGAIN_AFTER)
    if not told.exists():
        announce(Event.DRIFT, subject=problem, path=addresses.audit_check(), audit_log="bent")
