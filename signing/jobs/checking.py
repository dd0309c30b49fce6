"""Check every repository by the clock: many at a time, and those that did not change at next to no cost.

The tick counts what is due and hands it out in batches; each worker claims its own. A server is asked over kept
connections, for the timestamps of a whole batch at once: the very bytes that were verified before lead to the very
files that were verified before, so nothing is read again until one of them runs out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Protocol, runtime_checkable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from signing import queue, wiring
from signing.adapters.trust_caches import CacheOfOne, caches_of, timestamps_of, write_all
from signing.jobs import silence
from signing.jobs.claims import claim, due
from signing.jobs.state import Pair, Verdict, end_of_all, store_all, store_error, store_failure
from signing.models import Repository, TrustServer
from signing.trust.errors import NotAuthorised, ServerError, ServerUnreachable, TrustError
from signing.trust.notary.client import LARGEST_TIMESTAMP
from signing.trust.notary.client import refresh as refresh_trust
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import Transport

BATCH = 100
MOST_BATCHES = 200  # of one tick: twenty thousand repositories
AT_ONCE = 50  # timestamps asked for in a row
_FIELD = "next_check_at"
_SILENT = (ServerUnreachable, NotAuthorised)  # it answers nobody, or not to us: no need to ask it for each repository

_log = structlog.get_logger(__name__)


@runtime_checkable
class Together(Protocol):
    """A server that can be asked for one file of many repositories at once."""

    def get_of_many(self, guns: Sequence[str], name: str, limit: int) -> Iterator[tuple[str, bytes]]:
        """Give the file of each repository that has it, as far as they come."""


def refresh_due() -> None:
    """Hand out the repositories that are due in batches, and check one of them."""
    number = min(ceil(Repository.objects.filter(due(_FIELD, timezone.now())).count() / BATCH), MOST_BATCHES)
    for _ in range(number - 1):
        if settings.TRUSTUI_QUEUE == "rq":
            queue.enqueue_tick("check_batch", queue.SIGNING)
        else:
            check_batch()
    check_batch()


def check_batch() -> None:
    """Claim one batch of due repositories and check them, server by server."""
    now = timezone.now()
    by_server: dict[TrustServer, list[Repository]] = {}
    for repository in claim(_FIELD, Q(), now, settings.CHECK_EVERY, BATCH):
        by_server.setdefault(repository.account.trust_server, []).append(repository)
    for server, repositories in by_server.items():
        try:
            with wiring.transport_for(server) as transport:
                _check(server, repositories, transport)
        except TrustError as error:  # how to reach it is stored wrongly
            _store_silence(server, repositories, error)


def _check(server: TrustServer, repositories: Sequence[Repository], transport: Transport) -> None:
    now = timezone.now()
    known = timestamps_of(row.pk for row in repositories)
    shown = dict(_timestamps([row.gun for row in repositories if row.pk in known], transport))
    quiet = [row.pk for row in repositories if row.pk in known and _is_unchanged(row, known, shown, now)]
    Repository.objects.filter(pk__in=quiet).update(checked_at=now, verified_at=now)
    rest = [row for row in repositories if row.pk not in set(quiet)]
    caches = caches_of(row.pk for row in rest)
    verified: list[Pair] = []
    failed: list[tuple[Repository, TrustError]] = []
    for at, row in enumerate(rest):
        try:
            gun = Gun.parse(row.gun)
            verified.append((row, refresh_trust(gun, transport, caches[row.pk], must_reach_server=True)))
        except _SILENT as error:
            if not (quiet or verified or failed):
                _store_silence(server, rest[at:], error)
                return
            failed.append((row, error))
        except TrustError as error:
            failed.append((row, error))
    _store(verified, {row.pk: caches[row.pk] for row, _ in verified})
    for row, problem in failed:
        _store_error(row, problem)
    silence.trust_server_answered(server)


def _is_unchanged(row: Repository, known: Mapping[int, bytes], shown: Mapping[str, bytes], now: datetime) -> bool:
    """Tell whether what verified before is still what the server shows, and has not run out."""
    if row.verdict != Verdict.VERIFIED or row.accepted is None or shown.get(row.gun) != known[row.pk]:
        return False
    end = end_of_all(row)
    return end is not None and end > now


def _timestamps(guns: Sequence[str], transport: Transport) -> Iterator[tuple[str, bytes]]:
    """Ask for current timestamps; what does not come is asked for again with everything else."""
    if isinstance(transport, Together):
        for start in range(0, len(guns), AT_ONCE):
            yield from transport.get_of_many(guns[start : start + AT_ONCE], "timestamp.json", LARGEST_TIMESTAMP)


def _store(verified: Sequence[Pair], caches: Mapping[int, CacheOfOne]) -> None:
    with transaction.atomic():
        written = write_all(caches)
        store_all([(row, trusted) for row, trusted in verified if row.pk in written])


def _store_silence(server: TrustServer, repositories: Sequence[Repository], error: TrustError) -> None:
    silence.trust_server_was_silent(server, error, timezone.now())
    for row in repositories:
        store_failure(row, error)


def _store_error(row: Repository, error: TrustError) -> None:
    try:
        store_error(row, error)
    except ServerError:
        pass  # its verdict says so
    except TrustError:
        _log.warning("repository.not_verified", gun=row.gun, code=error.code)
