"""Verify each state a repository was ever in: one timestamp, the snapshot it promises, and all files of that one.

The rules are the client's (reference 4.2), applied as on the day the state was published: what expired since then was
right then. That day is read from the timestamp, which the server signs for fourteen days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from signing.trust.errors import (
    ExpiredMetadata,
    MalformedMetadata,
    MetadataError,
    MissingVersion,
    TrustError,
    UnmetThreshold,
    UntrustedRoot,
)
from signing.trust.evidence.manifest import Absent, StoredFile
from signing.trust.evidence.roots import RootChain
from signing.trust.notary.client import DEEPEST_DELEGATION, MOST_DELEGATIONS
from signing.trust.notary.gun import Gun
from signing.trust.notary.reading import read_as, read_envelope
from signing.trust.notary.root_rules import TrustedRoot
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.verification import open_signed, require_unexpired
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, FileMeta, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

TIMESTAMP_LIFETIME = timedelta(days=14)
"""For how long notary-server, and ours, sign a timestamp."""

Kind = TypeVar("Kind", Targets, Snapshot, Timestamp)
Read = Callable[[StoredFile], bytes]
Opened = tuple[Envelope, Targets]
_Key = tuple[str, str, frozenset[str], int]
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class State:
    """One verified state. `at` is when its server says that it began, `files` what it is made of by role.

    `is_expired` says that a client of that day would have refused it for its age; then it has no tags.
    """

    timestamp: StoredFile
    at: datetime
    trusted: TrustedRepository
    files: Mapping[str, StoredFile]
    is_expired: bool = False


@dataclass(frozen=True, slots=True)
class Unproven:
    """A state of which the archive proves nothing, and the reason."""

    timestamp: StoredFile
    at: datetime | None
    reason: TrustError


@dataclass(slots=True)
class States:
    """The states of one repository, verified one after the other."""

    gun: Gun
    files: frozenset[StoredFile]
    absent: frozenset[Absent]
    read: Read
    roots: RootChain
    _by_hash: dict[tuple[str, str], StoredFile] = field(init=False)
    _opened: dict[_Key, Opened] = field(default_factory=dict)
    _before: dict[_Key, Opened] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_hash = {(file.role, file.sha256): file for file in self.files}

    def __iter__(self) -> Iterator[State | Unproven]:
        """Verify each state, oldest first; one whose timestamp cannot be read comes last."""
        found = [(self._began(file), file) for file in self.files if file.role == roles.TIMESTAMP]
        for at, file in sorted(found, key=lambda item: (item[0] or _LAST, item[1])):
            self._before, self._opened = self._opened, {}
            try:
                if at is None:
                    read_as(Timestamp, read_envelope(self.read(file)))  # raises what is wrong with it
                    raise MalformedMetadata(f"{file} of {self.gun} has no time.")
                yield self._verified(file, at)
            except TrustError as error:
                yield Unproven(file, at, error)

    def _began(self, file: StoredFile) -> datetime | None:
        try:
            return read_as(Timestamp, read_envelope(self.read(file))).expires - TIMESTAMP_LIFETIME
        except (MetadataError, OverflowError):
            return None

    def _verified(self, file: StoredFile, at: datetime) -> State:
        snapshot_file = self.promised(file, read_as(Timestamp, read_envelope(self.read(file))).meta, roles.SNAPSHOT)
        snapshot_data = self.read(snapshot_file)
        meta = read_as(Snapshot, read_envelope(snapshot_data)).meta
        root_file = self.promised(snapshot_file, meta, roles.ROOT)
        root = self._root(root_file)
        role = root.root.role
        timestamp_envelope, timestamp = open_signed(Timestamp, role(roles.TIMESTAMP), self.read(file))
        snapshot_envelope, snapshot = open_signed(Snapshot, role(roles.SNAPSHOT), snapshot_data)
        timestamp.snapshot.check(roles.SNAPSHOT, snapshot_data)
        state = _Below(self, at, snapshot_file, snapshot)
        targets = state.open(role(roles.TARGETS))
        state.walk(targets)
        envelopes = {
            roles.ROOT: root.envelope,
            roles.TIMESTAMP: timestamp_envelope,
            roles.SNAPSHOT: snapshot_envelope,
            **state.envelopes,
        }
        files = {roles.ROOT: root_file, roles.TIMESTAMP: file, roles.SNAPSHOT: snapshot_file, **state.files}
        is_expired = any(signed.expires < at for signed in (root.root, snapshot, targets))
        trusted = TrustedRepository(
            gun=self.gun,
            root=root.root,
            timestamp=timestamp,
            snapshot=snapshot,
            targets=targets,
            delegations=state.delegations,
            envelopes=envelopes,
            left_out=state.left_out,
        )
        return State(file, at, trusted, files, is_expired)

    def _root(self, file: StoredFile) -> TrustedRoot:
        if file.sha256 in self.roots.trusted:
            return self.roots.trusted[file.sha256]
        self.read(file)  # a damaged one says so
        raise UntrustedRoot(
            f"{file} of {self.gun} is neither pinned nor signed by the keys of a root that is.",
            file=str(file),
            before_pinned=bool(self.roots.pins and self.roots.trusted) and file.sha256 in self.roots.unproven,
        )

    def promised(self, parent: StoredFile, meta: Mapping[str, FileMeta], role: str) -> StoredFile:
        """Find the file of `role` that `parent` promises. Raises: MissingVersion."""
        sha256 = meta[role].sha256
        found = self._by_hash.get((role, sha256))
        if found is None:
            lost = Absent(role, sha256=sha256) in self.absent
            where = "which its server did not have" if lost else "which is missing in the archive"
            raise MissingVersion(
                f"{parent} of {self.gun} names {role} {sha256[:12]}, {where}.{self._perhaps(role)}",
                lost_by_server=lost,
                promised=f"{role} {sha256[:12]}",
            )
        return found

    def _perhaps(self, role: str) -> str:
        """Tell which versions it may be: those that no file has, some of which a client may never have used."""
        known = {file.version for file in self.files if file.role == role}
        numbers = (version for version in range(1, max(known, default=0) + 2) if version not in known)
        candidates = [f"{role} {version}" for version, _ in zip(numbers, range(5), strict=False)]
        return f" It is one of those the archive has not: {', '.join(candidates)}."

    def open_targets(self, role: Role, file: StoredFile) -> Opened:
        """Read and verify a targets file, once for as long as neither it nor its keys change."""
        key = (role.name, file.sha256, frozenset(role.keys), role.threshold)
        found = self._before.get(key) or open_signed(Targets, role, self.read(file))
        self._opened[key] = found
        return found


@dataclass(slots=True)
class _Below:
    """The targets files of one state, each by the keys that its parent lists in that very state."""

    states: States
    at: datetime
    snapshot_file: StoredFile
    snapshot: Snapshot
    files: dict[str, StoredFile] = field(default_factory=dict)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    delegations: dict[str, Targets] = field(default_factory=dict)
    left_out: dict[str, TrustError] = field(default_factory=dict)

    def open(self, role: Role) -> Targets:
        file = self.states.promised(self.snapshot_file, self.snapshot.meta, role.name)
        self.files[role.name] = file
        envelope, signed = self.states.open_targets(role, file)
        self.snapshot.meta[role.name].check(role.name, envelope.raw)
        self.envelopes[role.name] = envelope
        return signed

    def walk(self, targets: Targets) -> None:
        """Take the delegations as the client does: those that were expired or signed by too few do not count."""
        waiting = self._roles_below(roles.TARGETS, targets)
        seen = 0
        while waiting:
            role = waiting.pop(0)
            if role.name not in self.snapshot.meta:
                continue
            seen += 1
            if seen > MOST_DELEGATIONS or role.name.count("/") > DEEPEST_DELEGATION:
                raise MalformedMetadata(f"{self.states.gun} has more delegations, or deeper ones, than clients read.")
            try:
                file = self.open(role)
                require_unexpired(role.name, file.expires, self.at)
            except (ExpiredMetadata, UnmetThreshold) as error:
                self.left_out[role.name] = error
                continue
            self.delegations[role.name] = file
            waiting = self._roles_below(role.name, file) + waiting

    @staticmethod
    def _roles_below(name: str, file: Targets) -> list[Role]:
        if any(roles.parent_of(item.name) != name for item in file.delegations):
            raise MalformedMetadata(f"{name} delegates to a role that is not directly below it.")
        return [role for item in file.delegations if (role := file.role(item.name)) is not None]
