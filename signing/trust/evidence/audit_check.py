"""Check an audit log: is it the chain that was written, and how much of that do signatures show?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from signing.trust.evidence.audit_log import GENESIS, Entry, Head
from signing.trust.tuf.keys import PublicKey

MOST_FINDINGS = 100


class Wrong(StrEnum):
    """The ways a log can be bent."""

    EDITED = "edited"
    MISSING = "missing"
    INSERTED = "inserted"
    REORDERED = "reordered"
    RELINKED = "relinked"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    RESTORED = "restored"
    BAD_HEAD = "bad_head"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at the entry of that number."""

    wrong: Wrong
    number: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `covered` is the number up to which a right signature vouches; 0: no entry."""

    entries: int
    last_number: int
    last_hash: str
    covered: int
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings


def check_log(
    entries: Iterable[Entry],
    heads: Sequence[Head],
    key: PublicKey | None = None,
    known: Head | None = None,
    *,
    after: tuple[int, str] = (0, GENESIS),
) -> Report:
    """Walk the chain once and hold each head, and the head `known` from elsewhere, against it.

    The first entry has to follow the one that `after` gives by number and hash. Without a `key` heads are compared and
    nothing is vouched for. At most `MOST_FINDINGS` are kept: after the first, the rest often follows from it.
    """
    walk = _Walk({head.number for head in (*heads, known) if head}, *after)
    findings = [*walk.through(entries)]
    covered = 0
    for head in sorted(heads, key=lambda head: head.number):
        found = _of_head(head, key, walk)
        findings += found
        if key and not found:
            covered = head.number
    if known:
        findings += _of_known(known, key, walk)
    if findings:
        covered = min(covered, min(finding.number for finding in findings) - 1)
    return Report(walk.count, walk.number, walk.hash, max(covered, 0), tuple(findings[:MOST_FINDINGS]))


class _Walk:
    """The state of one walk along the chain, and the hashes at the numbers that heads speak of."""

    def __init__(self, wanted: set[int], number: int, hash_: str) -> None:
        self.count = 0
        self.number = number
        self.hash = hash_
        self.hashes: dict[int, str] = {}
        self._wanted = wanted

    def through(self, entries: Iterable[Entry]) -> Iterator[Finding]:
        for entry in entries:
            yield from self._place(entry)
            if not entry.is_as_written:
                yield Finding(Wrong.EDITED, entry.number, f"Event {entry.number} does not say what it said.")
            self.count += 1
            self.number, self.hash = entry.number, entry.hash
            if entry.number in self._wanted:
                self.hashes.setdefault(entry.number, entry.hash)

    def _place(self, entry: Entry) -> Iterator[Finding]:
        expected = self.number + 1
        if entry.number == expected:
            if entry.previous_hash != self.hash:
                sentence = f"Event {entry.number} does not follow the event before it."
                yield Finding(Wrong.RELINKED, entry.number, sentence)
        elif entry.number > expected:
            gap = (
                f"Event {expected} is"
                if entry.number == expected + 1
                else f"Events {expected} to {entry.number - 1} are"
            )
            yield Finding(Wrong.MISSING, expected, f"{gap} missing.")
        elif entry.number == self.number:
            yield Finding(Wrong.INSERTED, entry.number, f"There is more than one event {entry.number}.")
        else:
            yield Finding(Wrong.REORDERED, entry.number, f"Event {entry.number} stands behind event {self.number}.")


def _of_head(head: Head, key: PublicKey | None, walk: _Walk) -> list[Finding]:
    if key and not head.is_signed_by(key):
        sentence = f"The head at event {head.number} is not signed with the log's key."
        return [Finding(Wrong.BAD_HEAD, head.number, sentence)]
    if head.number > walk.number:
        sentence = f"The log ends at event {walk.number}, but a head was signed at event {head.number}."
        return [Finding(Wrong.TRUNCATED, walk.number + 1, sentence)]
    if walk.hashes.get(head.number) != head.hash:
        sentence = f"Event {head.number} or one before it was rewritten: the head signed at {head.at} has another hash."
        return [Finding(Wrong.REWRITTEN, head.number, sentence)]
    return []


def _of_known(known: Head, key: PublicKey | None, walk: _Walk) -> list[Finding]:
    if key and not known.is_signed_by(key):
        return [Finding(Wrong.BAD_HEAD, known.number, "The head you kept is not signed with the log's key.")]
    if known.number > walk.number:
        sentence = f"An older state was put back: the log ends at event {walk.number}, you saw event {known.number}."
        return [Finding(Wrong.RESTORED, walk.number + 1, sentence)]
    if walk.hashes.get(known.number) != known.hash:
        sentence = f"Event {known.number} is another one than when you kept the head of {known.at}."
        return [Finding(Wrong.RESTORED, known.number, sentence)]
    return []
