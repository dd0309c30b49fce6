"""Read a repository: fetch what changed, verify all of it, remember it (reference 4.2 to 4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from signing.trust.errors import (
    BadResponse,
    ExpiredMetadata,
    HashMismatch,
    KeyIdMismatch,
    LengthMismatch,
    MalformedMetadata,
    MetadataError,
    NotAuthorised,
    NoTrustData,
    ServerError,
    ServerUnreachable,
    TooLarge,
    TrustError,
    UnmetThreshold,
)
from signing.trust.notary import deadline
from signing.trust.notary.ahead import MOST_AT_ONCE, Ahead
from signing.trust.notary.cache import TrustCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.pinning import TOFU, Pinning
from signing.trust.notary.resident import Resident
from signing.trust.notary.root_rules import TrustedRoot
from signing.trust.notary.roots import LARGEST_ROOT, Roots
from signing.trust.notary.transport import Transport
from signing.trust.notary.trusted import ReleasedTag, TrustedRepository
from signing.trust.notary.verification import NOTHING_OPENED, Opened, Remembered, open_once, require_unexpired
from signing.trust.tuf import canonical, roles
from signing.trust.tuf.metadata import Envelope, FileMeta, ListedEnvelope, Snapshot, Targets, Timestamp
from signing.trust.tuf.roles import Role

__all__ = ["ReleasedTag", "TrustedRepository", "refresh"]

LARGEST_TIMESTAMP = 1024 * 1024
LARGEST_FILE = 8 * 1024 * 1024
LARGEST_DOWNLOAD = 16 * 1024 * 1024
"""Notary itself takes whatever the snapshot promises; 8 MiB hold 80,000 tags, and reading more needs more memory than
a client should give to a server."""

MOST_DELEGATIONS = 1000
DEEPEST_DELEGATION = 10

_LIKELY = (roles.SNAPSHOT, roles.TARGETS, roles.RELEASES)

Kind = TypeVar("Kind", Targets, Snapshot, Timestamp)

resident = Resident()
"""What this process verified last."""


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


def refresh(
    gun: Gun,
    transport: Transport,
    cache: TrustCache,
    *,
    pinning: Pinning = TOFU,
    now: Callable[[], datetime] = utc_now,
    must_reach_server: bool = False,
    opened: Mapping[str, Opened] = NOTHING_OPENED,
    needed: Sequence[tuple[str, int]] = (),
) -> TrustedRepository:
    """Fetch and verify the newest state of a repository.

    The cache is written only after everything verified. When the server does not answer, an earlier timestamp that
    still holds serves instead and the result `is_stale`; `must_reach_server` forbids that and always looks for a new
    root too, as everything that writes has to. Files that were `opened` before are not read again where the server
    promises their very bytes and the same keys count. Files that are `needed`, by the server's names and with their
    limits, are asked for at once.

    All of it ends within `deadline.LONGEST` seconds, or what is left of the caller's own limit.

    Raises:
        NoTrustData: the repository was never initialised.
        ServerError: the server did not answer, not in time, or with something that is not Notary's.
        MetadataError: by name, what does not verify.
    """
    try:
        with deadline.within(deadline.LONGEST), closing(Ahead(transport, LARGEST_DOWNLOAD)) as source:
            return _refresh(gun, source, cache, pinning, now, must_reach_server, opened, needed)
    except TimeoutError:
        raise ServerUnreachable(f"Reading {gun} took longer than {deadline.LONGEST:g} seconds.") from None


def _refresh(
    gun: Gun,
    source: Ahead,
    cache: TrustCache,
    pinning: Pinning,
    now: Callable[[], datetime],
    must_reach_server: bool,
    opened: Mapping[str, Opened],
    needed: Sequence[tuple[str, int]],
) -> TrustedRepository:
    at = now()  # read once, so that nothing expires half-way
    remembered = Remembered(cache)
    if needed:
        source.expect(gun, needed)
    elif must_reach_server or remembered.raw(roles.ROOT) is None:
        source.expect(gun, _needed_first(remembered, is_writing=must_reach_server))
    roots = Roots(gun, source, remembered.raw(roles.ROOT), pinning, at)
    root = roots.first(ask_server=must_reach_server)
    attempt = _Attempt(gun, source, remembered, root, at, must_reach_server, opened)
    try:
        trusted = attempt.run()
    except (MetadataError, BadResponse) as error:
        if attempt.silence is not None:  # what was remembered does not hold any more, so the silence is the trouble
            raise attempt.silence from error
        # New keys of targets, snapshot or timestamp show only by this: their new root tells them.
        newer = _newest_root(roots, attempt.promised_root, error)
        trusted = _Attempt(gun, source, remembered, newer, at, must_reach_server, opened).run()
    _remember(trusted, remembered, cache)
    if not trusted.is_stale:
        resident.keep(trusted, at)
    return trusted


def _needed_first(remembered: Remembered, *, is_writing: bool) -> list[tuple[str, int]]:
    """Name the current files that are needed first, though none but the first two for certain.

    Whoever writes is seldom the last who wrote, and a snapshot is small.
    """
    first = [("root.json", LARGEST_ROOT), ("timestamp.json", LARGEST_TIMESTAMP)]
    likely = [name for name in _LIKELY if remembered.raw(name) is None or (is_writing and name == roles.SNAPSHOT)]
    return first + [(f"{name}.json", LARGEST_FILE) for name in likely]


def _newest_root(roots: Roots, promised: FileMeta | None, error: TrustError) -> TrustedRoot:
    """Look for a root that explains `error`; without an answer, the error itself is what people have to see."""
    try:
        newer = roots.newest(promised)
    except ServerError:
        raise error from None
    if newer is None:
        raise error
    return newer


def _remember(trusted: TrustedRepository, remembered: Remembered, cache: TrustCache) -> None:
    cache.store_all({name: data for name, data in trusted.raw_files().items() if remembered.raw(name) != data})


@dataclass(slots=True)
class _Attempt:
    """One way down from a root: timestamp, snapshot, targets, delegations, each promised by the one before."""

    gun: Gun
    source: Ahead
    remembered: Remembered
    root: TrustedRoot
    at: datetime
    must_reach_server: bool
    opened: Mapping[str, Opened]
    promised_root: FileMeta | None = None
    silence: TrustError | None = None
    promised_bytes: int = 0
    values: int = 0
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    fetched: dict[str, bytes] = field(default_factory=dict)
    delegations: dict[str, Targets] = field(default_factory=dict)
    left_out: dict[str, TrustError] = field(default_factory=dict)
    left_out_files: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> TrustedRepository:
        """Fetch and verify everything below the root, or find it verified before."""
        data = self._timestamp_bytes()
        known = resident.find(self.gun, self.root.envelope.raw, data, self.at)
        if known is None:
            return self._verified(data)
        for name, file in known.files().items():
            self.remembered.require_not_older(known.role(name), file.version, known.envelopes[name].raw)
        return replace(known, is_stale=True) if self.silence is not None else known

    def _verified(self, timestamp_data: bytes) -> TrustedRepository:
        self.envelopes[roles.ROOT] = self.root.envelope
        timestamp = self._open(Timestamp, self.root.root.role(roles.TIMESTAMP), timestamp_data)
        snapshot = self._fetched(Snapshot, self.root.root.role(roles.SNAPSHOT), timestamp.snapshot)
        self.promised_root = snapshot.meta[roles.ROOT]
        self.promised_root.check(roles.ROOT, self.root.envelope.raw)
        self._expect(snapshot)
        targets = self._fetched(Targets, self.root.root.role(roles.TARGETS), snapshot.meta[roles.TARGETS])
        self._walk(targets, snapshot)
        return TrustedRepository(
            gun=self.gun,
            root=self.root.root,
            timestamp=timestamp,
            snapshot=snapshot,
            targets=targets,
            delegations=self.delegations,
            envelopes=self.envelopes,
            left_out=self.left_out,
            is_stale=self.silence is not None,
            left_out_files=self.left_out_files,
        )

    def _timestamp_bytes(self) -> bytes:
        """Ask the server; only its silence or refusal lets an earlier timestamp serve, never a wrong answer."""
        try:
            data = self.source.get(self.gun, "timestamp.json", LARGEST_TIMESTAMP)
            if data is not None:
                return data
            self.silence = NoTrustData(f"The trust server has no trust data for {self.gun}.", gun=str(self.gun))
        except (ServerUnreachable, NotAuthorised) as error:
            self.silence = error
        earlier = self.remembered.raw(roles.TIMESTAMP)
        if self.must_reach_server or earlier is None:
            raise self.silence
        return earlier

    def _walk(self, targets: Targets, snapshot: Snapshot) -> None:
        """Take the delegations parents first, depth first; leave out and name those that do not count now."""
        waiting = self._below(roles.TARGETS, targets)
        seen = 0
        while waiting:
            role = waiting.pop(0)
            promised = snapshot.meta.get(role.name)
            if promised is None:
                continue  # nothing was signed in this role yet
            seen += 1
            if seen > MOST_DELEGATIONS:
                raise MalformedMetadata(f"{self.gun} has more delegations than this client reads.")
            deadline.left()  # whatever a server shows, there is an end
            if (reason := self._too_much(role.name, promised)) is not None:
                self.left_out[role.name] = reason
                continue
            data = self._promised(role.name, promised)  # other bytes than promised are the server's lie, not the role's
            try:
                file = self._open(Targets, role, data)
                below = self._below(role.name, file)
            except (ExpiredMetadata, UnmetThreshold, MalformedMetadata, KeyIdMismatch) as error:
                # Its traceback would keep what was read of the file, which may be far larger than the file.
                self.left_out[role.name] = error.with_traceback(None)
                self.left_out[role.name].__context__ = self.left_out[role.name].__cause__ = None
                self.left_out_files[role.name] = data
                self.envelopes.pop(role.name, None)
                continue
            self.delegations[role.name] = file
            waiting = below + waiting

    def _too_much(self, name: str, promised: FileMeta) -> MetadataError | None:
        """Tell why a file is not even fetched, if it is larger or deeper than anybody needs."""
        if name.count("/") > DEEPEST_DELEGATION:
            return MalformedMetadata(f"{name} is deeper below targets than this client reads.", role=name)
        if promised.length > LARGEST_FILE or self.promised_bytes + promised.length > LARGEST_DOWNLOAD:
            return LengthMismatch(f"{name} has {promised.length} bytes: more than this client reads.", role=name)
        return None

    @staticmethod
    def _below(name: str, file: Targets) -> list[Role]:
        for item in file.delegations:
            if roles.parent_of(item.name) != name:
                raise MalformedMetadata(f"{name} delegates to {item.name}, which is not directly below it.")
        found = [file.role(item.name) for item in file.delegations]
        return [role for role in found if role is not None]

    def _fetched(self, kind: type[Kind], role: Role, promised: FileMeta) -> Kind:
        """Give the promised file of a role, from the cache where it has the same bytes."""
        if (reason := self._too_much(role.name, promised)) is not None:
            raise reason
        return self._open(kind, role, self._promised(role.name, promised))

    def _expect(self, snapshot: Snapshot) -> None:
        """Ask at once for what the snapshot promises and is not at hand: most of it will be needed."""
        listed = (item for item in snapshot.meta.items() if item[0] == roles.TARGETS or roles.is_delegation(item[0]))
        wanted = [
            (_by_hash(name, promised), promised.length)
            for name, promised in islice(listed, MOST_AT_ONCE)
            if self._too_much(name, promised) is None and not self._is_at_hand(name, promised)
        ]
        self.source.expect(self.gun, wanted)

    def _is_at_hand(self, name: str, promised: FileMeta) -> bool:
        """Tell whether a file is remembered, or came early as it seems: its hash is looked at in its turn."""
        early = self.source.early(f"{name}.json")
        if early is not None and len(early) == promised.length:
            return True
        remembered = self.remembered.raw(name)
        if remembered is None or not _is_promised(name, promised, remembered):
            return False
        self.fetched[name] = remembered
        return True

    def _promised(self, name: str, promised: FileMeta) -> bytes:
        """Give the bytes of a promised file, whoever signed it."""
        self.promised_bytes += promised.length
        data = self._held(name, promised)
        if data is None:
            data = self._downloaded(name, promised)
            promised.check(name, data)
            self.fetched[name] = data
        return data

    def _held(self, name: str, promised: FileMeta) -> bytes | None:
        """Give a promised file that was fetched or found before, is remembered, or came early."""
        if name not in self.fetched:
            for data in (self.remembered.raw(name), self.source.came(f"{name}.json")):
                if data is not None and _is_promised(name, promised, data):
                    self.fetched[name] = data
                    break
        return self.fetched.get(name)

    def _downloaded(self, name: str, promised: FileMeta) -> bytes:
        try:
            data = self.source.get(self.gun, _by_hash(name, promised), promised.length)
        except TooLarge as error:
            raise LengthMismatch(f"{name} is longer than the {promised.length} promised bytes.", role=name) from error
        if data is None:
            raise BadResponse(f"The trust server does not have the {name} that it promised for {self.gun}.", role=name)
        return data

    def _open(self, kind: type[Kind], role: Role, data: bytes) -> Kind:
        envelope, signed = open_once(kind, role, data, self.opened)
        if not isinstance(envelope, ListedEnvelope):  # those need little more memory than their bytes
            self.values += canonical.count_values(data)
            if self.values > canonical.MOST_VALUES:
                raise MalformedMetadata(f"{self.gun} has more values than this client reads.", role=role.name)
        self.remembered.require_not_older(role, signed.version, data)
        require_unexpired(role.name, signed.expires, self.at)
        self.envelopes[role.name] = envelope
        return signed


def _by_hash(name: str, promised: FileMeta) -> str:
    return f"{name}.{promised.sha256}.json"


def _is_promised(name: str, promised: FileMeta, data: bytes) -> bool:
    try:
        promised.check(name, data)
    except (LengthMismatch, HashMismatch):
        return False
    return True
