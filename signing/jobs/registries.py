"""Look what registries show under the names that are signed, and under those that are not.

The docker worker does it: it alone can open the registries' passwords, and no key. A registry knows no question for all
digests at once, so each tag costs a request without a body; a look has a budget, and the tags that waited longest come
first. What differs for the first time is looked at again soon, before anybody is alarmed: whoever pushes with docker's
content trust pushes first and signs a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from signing import queue, wiring
from signing.adapters.registry import Registry
from signing.errors import RegistryDenied, RegistryLoginNeeded, RegistryUnreachable
from signing.jobs import findings, silence
from signing.jobs.alarms import Place, settle
from signing.jobs.claims import claim
from signing.jobs.platforms import platforms_of
from signing.jobs.run import Run, perform
from signing.models import Account, Alert, Operation, Repository, SignedTag, TagVerdict, UnsignedTag
from signing.trust.errors import TrustError
from signing.trust.notary.gun import Gun
from signing.trust.policy.verdict import verdict_of

BATCH = 50
LONGEST_TICK = 45.0  # seconds, after which a tick claims no further batch
MOST_TAGS = 20_000
MOST_ASKED = 500  # tags of one repository in one look
MOST_UNSIGNED = 2_000  # rows of one repository
MOST_PLATFORMS = 50  # manifests read in one look
LONGEST_LOOK = 60.0
LOOK_AGAIN_AFTER = timedelta(seconds=20)

_NO_IMAGE = re.compile(r"sha256-[0-9a-f]{64}(\.[a-z]+)?", re.ASCII)  # how cosign names what belongs to an image
_SILENT = (RegistryUnreachable, RegistryLoginNeeded, RegistryDenied)
_log = structlog.get_logger(__name__)


def check_registries() -> None:
    """Look at the repositories that are due, batch by batch, for as long as a tick may take."""
    end = monotonic() + LONGEST_TICK
    checked = ~Q(checked_at=None)  # what is signed there is known, or that nothing is
    while monotonic() < end:
        batch = claim("next_registry_check_at", checked, timezone.now(), settings.CHECK_EVERY, BATCH)
        by_account: dict[Account, list[Repository]] = {}
        for repository in batch:
            by_account.setdefault(repository.account, []).append(repository)
        for account, repositories in by_account.items():
            _look_at_all(account, repositories)
        if len(batch) < BATCH:
            return


def check_registry(operation_id: int) -> None:
    """Look at the registry of one repository now."""
    perform(queue.CHECK_REGISTRY, operation_id, _check_registry)


def _check_registry(run: Run) -> None:
    repository = run.operation.repository
    if repository is None:
        return
    run.say(f"Asking the registry {repository.account.registry}.")
    try:
        with wiring.registry_for(repository.account) as registry:
            look = _look(repository, registry, run.keep_alive)
    except TrustError as error:
        _store_silence(repository, error)
        run.result["registry"] = error.code
        run.say(f"{error.message} What is signed is shown as signed.")
        return
    drifted = sum(row.verdict == TagVerdict.DRIFTED for row in look.rows)
    run.result["registry"] = {"asked": len(look.asked), "drifted": drifted, "unsigned": look.unsigned}
    run.say(f"Asked for {len(look.asked)} tags: {drifted} drifted; {look.unsigned} are not signed.")


def _look_at_all(account: Account, repositories: Sequence[Repository]) -> None:
    """Look at the repositories of one account; a registry that does not answer is asked once."""
    try:
        with wiring.registry_for(account) as registry:
            for at, repository in enumerate(repositories):
                try:
                    _look(repository, registry)
                except _SILENT as error:
                    if at == 0:
                        raise
                    _store_silence(repository, error)
                except TrustError as error:
                    _store_silence(repository, error)
    except TrustError as error:
        silence.registry_was_silent(account, error, timezone.now())
        for repository in repositories:
            _store_silence(repository, error)
    else:
        silence.registry_answered(account)


@dataclass(slots=True)
class _Look:
    """One look at one repository in its registry."""

    repository: Repository
    registry: Registry
    keep_alive: Callable[[], None]
    now: datetime = field(default_factory=timezone.now)
    rows: list[SignedTag] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)
    unsigned: int = 0
    changes: int = 0
    _end: float = field(default_factory=lambda: monotonic() + LONGEST_LOOK)

    @property
    def path(self) -> str:
        return Gun.parse(self.repository.gun).path

    def run(self) -> None:
        """Ask, and write what changed."""
        self.rows = list(self.repository.tags.filter(is_counted=True))
        names = self.registry.list_tags(self.path, MOST_TAGS) or []
        is_whole = len(names) < MOST_TAGS
        listed = {name for name in names if name != Operation.STAGING_TAG and not _NO_IMAGE.fullmatch(name)}
        self._ask(listed, is_whole)
        first = self._compare(_being_published(self.repository))
        self._platforms()
        self._unsigned(listed, is_whole)
        self._alarm(first, listed if is_whole else None)
        fields: dict[str, Any] = {"registry_checked_at": self.now, "registry_reason": ""}
        if first:
            fields["next_registry_check_at"] = self.now + LOOK_AGAIN_AFTER
        if self.changes or self.repository.registry_reason:
            fields["state_version"] = F("state_version") + 1
        Repository.objects.filter(pk=self.repository.pk).update(**fields)

    def _ask(self, listed: Collection[str], is_whole: bool) -> None:
        """Ask for the digests of signed tags, longest unasked first; a tag that is not there has none."""
        waiting = sorted(
            self.rows, key=lambda row: row.registry_checked_at.timestamp() if row.registry_checked_at else 0
        )
        for row in waiting:
            if row.tag in self.asked:
                continue
            if row.tag not in listed and is_whole:
                self.asked[row.tag] = ""
            elif len(self.asked) < MOST_ASKED and monotonic() < self._end:
                self.asked[row.tag] = self._digest(row.tag)
        asked = [row.pk for row in self.rows if row.tag in self.asked]
        for start in range(0, len(asked), 500):
            SignedTag.objects.filter(pk__in=asked[start : start + 500]).update(registry_checked_at=self.now)

    def _digest(self, tag: str) -> str:
        self.keep_alive()
        return (self.registry.tag_digest(self.path, tag) or "").removeprefix("sha256:")

    def _compare(self, being_published: Collection[str]) -> set[str]:
        """Judge what was asked for anew; give the tags that differ for the first time."""
        digests: dict[str, set[str]] = {}
        for row in self.rows:
            digests.setdefault(row.tag, set()).add(row.digest)
        first = set()
        for row in self.rows:
            if row.tag not in self.asked or row.tag in being_published:
                continue
            shown = self.asked[row.tag]
            if shown and shown not in digests[row.tag] and shown != row.registry_digest:
                first.add(row.tag)
            self._write(row, shown, frozenset(digests[row.tag]))
        return first

    def _write(self, row: SignedTag, shown: str, digests: frozenset[str]) -> None:
        """Write one row, unless a check of the trust data judged it otherwise meanwhile."""
        before = row.verdict
        fields: dict[str, Any] = {"registry_digest": shown}
        if before in (TagVerdict.VERIFIED, TagVerdict.DRIFTED):
            judged = verdict_of(is_known=True, digest=row.digest, shown=shown, all_digests=digests, failure=None)
            fields |= {"verdict": judged.word.value, "reason_code": judged.code}
        if any(getattr(row, name) != value for name, value in fields.items()):
            self.changes += SignedTag.objects.filter(pk=row.pk, verdict=before).update(**fields)
            for name, value in fields.items():
                setattr(row, name, value)

    def _platforms(self) -> None:
        """Read which platforms a manifest list holds, once for each digest; which are signed is looked up each time."""
        signed = {row.digest for row in self.rows}
        read = 0
        for row in self.rows:
            platforms = [{**item, "signed": item.get("digest") in signed} for item in row.platforms]
            is_new = row.registry_checked_at is None and row.registry_digest == row.digest
            if is_new and read < MOST_PLATFORMS and monotonic() < self._end:
                read += 1
                platforms = platforms_of(self.registry, self.path, row.digest, signed)
            if platforms != row.platforms:
                self.changes += SignedTag.objects.filter(pk=row.pk).update(platforms=platforms)

    def _unsigned(self, listed: Collection[str], is_whole: bool) -> None:
        """Bring the rows of unsigned tags in line."""
        signed = set(self.repository.tags.values_list("tag", flat=True))
        known = {row.tag: row for row in self.repository.unsigned_tags.all()}
        wanted = sorted(set(listed) - signed)[:MOST_UNSIGNED]
        gone = [row.pk for tag, row in known.items() if tag in signed or (is_whole and tag not in listed)]
        fresh = [
            UnsignedTag(repository=self.repository, tag=tag, digest=self._digest_if_time(tag), first_seen=self.now)
            for tag in wanted
            if tag not in known
        ]
        UnsignedTag.objects.filter(pk__in=gone).delete()
        UnsignedTag.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
        self.changes += len(gone) + len(fresh)
        self.unsigned = len(known) - len(gone) + len(fresh)

    def _digest_if_time(self, tag: str) -> str:
        if len(self.asked) >= MOST_ASKED or monotonic() > self._end:
            return ""
        self.asked.setdefault(tag, self._digest(tag))
        return self.asked[tag]

    def _alarm(self, first: Collection[str], listed: Collection[str] | None) -> None:
        """Alert of what differs for the second time, and clear what is right again."""
        place = Place(self.repository)
        opened = list(place.alerts().filter(kind__in=(Alert.Kind.DRIFTED, Alert.Kind.UNSIGNED)))
        told = {row.tag for row in opened if row.kind == Alert.Kind.DRIFTED}
        differing = [
            one for one in findings.drifted(self.repository, self.rows) if one.tag not in first or one.tag in told
        ]
        settle(place, differing, [Alert.Kind.DRIFTED], [row for row in opened if row.kind == Alert.Kind.DRIFTED])
        if listed is not None:
            findings.clear_vanished(place, [row for row in opened if row.kind == Alert.Kind.UNSIGNED], listed)


def _look(repository: Repository, registry: Registry, keep_alive: Callable[[], None] = lambda: None) -> _Look:
    look = _Look(repository, registry, keep_alive)
    look.run()
    return look


def _being_published(repository: Repository) -> set[str]:
    """Name the tags that work of ours moves right now: their signature comes first, the tag follows."""
    rows = Operation.objects.filter(repository=repository, kind=Operation.Kind.PUBLISH)
    rows = rows.exclude(state__in=Operation.FINISHED)
    return {str(parameters.get("tag")) for parameters in rows.values_list("parameters", flat=True)}


def _store_silence(repository: Repository, error: TrustError) -> None:
    """Write why the registry's digests are not known now; those that were known stay, with their age."""
    row = Repository.objects.filter(pk=repository.pk).exclude(registry_reason=error.message)
    if row.update(registry_reason=error.message, state_version=F("state_version") + 1):
        _log.warning("registry.not_asked", gun=repository.gun, code=error.code)
