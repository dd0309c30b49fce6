"""Bring the rows of tags in line with verified trust data, for many repositories at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signing.jobs.tag_states import TagState, tag_states
from signing.models import Repository, SignedTag, UnsignedTag
from signing.trust.evidence.states import TIMESTAMP_LIFETIME
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.policy.verdict import verdict_of

LONGEST_TAG = 255
_COLUMNS = ("length", "signers", "sort_key", "key_ids", "expires_at", "verdict", "reason_code", "is_counted")


@dataclass(slots=True)
class TagChanges:
    """What became of the tags of one repository: rows by what has to be done, and what a person may wonder about."""

    fresh: list[SignedTag] = field(default_factory=list)
    changed: list[SignedTag] = field(default_factory=list)
    gone: list[SignedTag] = field(default_factory=list)
    kept: list[SignedTag] = field(default_factory=list)
    added_keys: list[tuple[SignedTag, tuple[str, ...]]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Tell whether every row stays as it is."""
        return not (self.fresh or self.changed or self.gone)

    @property
    def rows(self) -> list[SignedTag]:
        """Give the rows as they are now."""
        return [*self.kept, *self.changed, *self.fresh]

    def vanished(self) -> list[SignedTag]:
        """Give the rows of tags that counted before and that no file names any more."""
        now = {row.tag for row in self.rows}
        return [row for row in self.gone if row.tag not in now and row.is_counted]


def compare(
    repository: Repository, trusted: TrustedRepository, rows: Iterable[SignedTag], known: frozenset[str], now: datetime
) -> TagChanges:
    """Compare what was found with the rows there are; `known` are the ids of the keys that people here know.

    A tag that kept its digest keeps its row, the time it was first seen, and what its registry showed.
    """
    before = {(row.tag, row.digest): row for row in rows}
    changes = TagChanges()
    # What the registry showed under the tag is kept where it is what is signed now; anything else may be on its way.
    shown_before = {(row.tag, row.registry_digest): row.registry_checked_at for row in before.values()}
    states = [state for state in tag_states(trusted) if len(state.tag) <= LONGEST_TAG]
    digests = _digests(states)
    for position, state in enumerate(states):
        row = before.pop((state.tag, state.digest), None)
        fields = _fields(state, position, row, known, digests.get(state.tag, frozenset()))
        if row is None:
            shown = shown_before.get((state.tag, state.digest))
            fresh = SignedTag(
                repository=repository,
                tag=state.tag,
                digest=state.digest,
                first_seen=now,
                signed_at=_signed_between(repository.verified_at, trusted, now),
                registry_digest=state.digest if shown else "",
                registry_checked_at=shown,
                **fields,
            )
            changes.fresh.append(fresh)
            changes.added_keys.append((fresh, state.key_ids))
            continue
        added = tuple(key_id for key_id in state.key_ids if key_id not in row.key_ids)
        if row.key_ids and added:
            changes.added_keys.append((row, added))
        (changes.changed if _differs(row, fields) else changes.kept).append(row)
        for name, value in fields.items():
            setattr(row, name, value)
    changes.gone = list(before.values())
    return changes


def write(changes: Sequence[TagChanges]) -> None:
    """Write the rows of many repositories with few statements."""
    gone = [row.pk for one in changes for row in one.gone]
    fresh = [row for one in changes for row in one.fresh]
    changed = [row for one in changes for row in one.changed]
    for start in range(0, len(gone), 500):
        SignedTag.objects.filter(pk__in=gone[start : start + 500]).delete()
    SignedTag.objects.bulk_create(fresh, batch_size=500)
    SignedTag.objects.bulk_update(changed, _COLUMNS, batch_size=100)
    by_repository = {one.fresh[0].repository_id: {row.tag for row in one.fresh} for one in changes if one.fresh}
    for row in UnsignedTag.objects.filter(repository__in=by_repository):
        if row.tag in by_repository[row.repository_id]:
            row.delete()


def _fields(
    state: TagState, position: int, row: SignedTag | None, known: frozenset[str], digests: frozenset[str]
) -> Mapping[str, Any]:
    verdict = verdict_of(
        is_known=not known.isdisjoint(state.key_ids),
        digest=state.digest,
        shown=row.registry_digest if row else "",
        all_digests=digests,
        failure=state.failure,
    )
    return {
        "length": state.length,
        "signers": list(state.signers),
        "sort_key": f"{position:08d}",  # the trust core put them in docker's order
        "key_ids": list(state.key_ids),
        "expires_at": state.expires_at,
        "verdict": verdict.word.value,
        "reason_code": verdict.code,
        "is_counted": state.failure is None,
    }


def _differs(row: SignedTag, fields: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in fields.items())


def _digests(states: Iterable[TagState]) -> dict[str, frozenset[str]]:
    """Give the digests of the few tags that are signed with several."""
    found: dict[str, set[str]] = {}
    for state in states:
        if state.failure is None:
            found.setdefault(state.tag, set()).add(state.digest)
    return {tag: frozenset(digests) for tag, digests in found.items() if len(digests) > 1}


def _signed_between(before: datetime | None, trusted: TrustedRepository, now: datetime) -> datetime | None:
    """Tell when what was not there at the last check came to be, as its server says; None at the first check."""
    if before is None:
        return None
    return min(max(trusted.timestamp.expires - TIMESTAMP_LIFETIME, before), now)
