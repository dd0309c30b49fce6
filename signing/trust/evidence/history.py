"""Judge one repository's part of an archive: what it proves, what happened, and what is wrong with it.

Nothing is asked of anybody. What counts are the signatures and hashes in the files themselves, from a pinned root on;
the manifest only helps to say what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from signing.trust.errors import MetadataError, MissingVersion, Rollback, TrustError
from signing.trust.evidence.manifest import Record, StoredFile
from signing.trust.evidence.numbers import missing_in
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.roots import RootChain, RootKey, keys_of
from signing.trust.evidence.states import State, States, Unproven
from signing.trust.evidence.timeline import Event, Period, Timeline
from signing.trust.notary.gun import Gun
from signing.trust.tuf import roles


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with the file it was found in."""

    file: str
    error: TrustError


@dataclass(slots=True)
class History:
    """What an archive proves of one repository.

    `gaps` are files that the server itself no longer had: nobody's fault now, but nothing is known across them.
    `last` is the newest proven state; it says nothing of what came after it.
    """

    gun: Gun
    record: Record
    is_pinned: bool
    root_keys: tuple[RootKey, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    unproven: list[Unproven] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    states: int = 0
    last: State | None = None

    @property
    def is_proven(self) -> bool:
        """Tell whether something is proven and nothing is wrong."""
        return self.last is not None and not self.problems

    @property
    def vouched_until(self) -> datetime | None:
        """Tell until when the newest state counts: the server vouched for it no longer than that."""
        if self.last is None:
            return None
        trusted = self.last.trusted
        signed = (trusted.root, trusted.timestamp, trusted.snapshot, trusted.targets)
        return min(item.expires for item in signed)


def judge(gun: Gun, record: Record, read: Callable[[StoredFile], bytes], pins: RootPins) -> History:
    """Verify everything that is archived of a repository; what is wrong is named, and the rest is told."""
    return _Judge(gun, record, read, pins).history


class _Judge:
    def __init__(self, gun: Gun, record: Record, read: Callable[[StoredFile], bytes], pins: RootPins) -> None:
        self._read_raw = read
        self._problems: dict[str, Problem] = {}
        self.history = History(gun, record, bool(pins))
        self._check_bytes()
        chain = RootChain(str(gun), pins)
        listed = {file: self._readable(file) for file in record.files if file.role == roles.ROOT}
        chain.add(listed, record.absent, from_first=record.taken is not None)
        for file, error in chain.problems:
            self._name(file, error)
        self._tell(States(gun, record.files, record.absent, read, chain), chain)
        self._check_numbers()
        self.history.gaps += [str(item) for item in sorted(record.absent)]
        self.history.problems = list(self._problems.values())

    def _check_bytes(self) -> None:
        """Read every file once, so that damage shows even where no state needs the file."""
        for file in sorted(self.history.record.files):
            try:
                self._read_raw(file)
            except MetadataError as error:
                self._name(str(file), error)

    def _readable(self, file: StoredFile) -> bytes | None:
        try:
            return self._read_raw(file)
        except MetadataError:
            return None

    def _name(self, file: str, error: TrustError) -> None:
        self._problems.setdefault(file, Problem(file, error))

    def _tell(self, states: States, chain: RootChain) -> None:
        timeline = Timeline()
        before: State | None = None
        for state in states:
            timeline.add(state)
            if isinstance(state, Unproven):
                self._note_unproven(state, chain)
                continue
            if before is not None:
                self._require_not_older(before, state)
            before = state
            self.history.states += 1
        self.history.last = before
        self.history.events, self.history.periods = timeline.events, timeline.periods
        if before is not None:
            self.history.root_keys = tuple(keys_of(chain.trusted[before.files[roles.ROOT].sha256]))

    def _note_unproven(self, state: Unproven, chain: RootChain) -> None:
        """Keep a state that is not proven: no problem before the pinned root, or where its server lost files."""
        self.history.unproven.append(state)
        error = state.reason
        if error.detail.get("lost_by_server") or error.detail.get("before_pinned"):
            return
        if isinstance(error, MissingVersion):
            self._name(str(error.detail.get("promised", state.timestamp)), error)
        elif not chain.pins or chain.trusted:
            named = str(error.detail.get("file", state.timestamp))
            self._name(named, error)

    def _require_not_older(self, before: State, state: State) -> None:
        for role, file in state.files.items():
            old = before.files.get(role)
            if old is None or old == file:
                continue
            if file.version < old.version:
                what = f"{file} follows {old}: the repository was deleted and made again, or its server went back."
            elif file.version == old.version:
                what = f"{file} and {old} are two files of one version."
            else:
                continue
            self._name(str(file), Rollback(what, role=role))

    def _check_numbers(self) -> None:
        """Name the timestamps that are missing between the first and the last; a server leaves no number out."""
        record = self.history.record
        if record.taken is None:
            return  # a trust folder has the newest files only
        known = [file.version for file in record.files if file.role == roles.TIMESTAMP]
        gone = [
            item.version
            for item in record.absent
            if item.role == roles.TIMESTAMP and item.version <= max(known, default=0)
        ]
        for name in missing_in(roles.TIMESTAMP, [*known, *gone]):
            self._name(name, MissingVersion(f"{name} of {self.history.gun} is missing in the archive."))
