"""The chain of roots in an archive: which may be trusted, from the pinned ones on (reference 4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from signing.trust.errors import MalformedMetadata, MetadataError, MissingVersion, TrustError, UntrustedRoot
from signing.trust.evidence.manifest import Absent, StoredFile
from signing.trust.evidence.numbers import missing_in
from signing.trust.evidence.pins import RootPins, fingerprint
from signing.trust.notary.reading import require_signed
from signing.trust.notary.root_certificates import root_keys
from signing.trust.notary.root_rules import TrustedRoot, check_root, read_root, require_signed_by
from signing.trust.tuf import roles
from signing.trust.tuf.roles import Role

MOST_ROOTS = 1000
"""Each may have been signed by any before it: more would be work for an attacker's sake."""

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""The chain's certificates may have expired since: whether they held is asked for each state at its own time."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """A root key as people compare it: its id in the metadata, of the bare key, and its certificate's fingerprint."""

    key_id: str
    canonical_id: str
    fingerprint: str


@dataclass(slots=True)
class RootChain:
    """The roots of one repository. Without pins the first of each chain is taken on trust.

    `trusted` has the roots that are pinned, or signed by the keys of a trusted one before them, by their SHA-256;
    `unproven` those that hold in themselves, but come before the first pinned one.
    """

    gun: str
    pins: RootPins
    trusted: dict[str, TrustedRoot] = field(default_factory=dict)
    unproven: dict[str, TrustedRoot] = field(default_factory=dict)
    problems: list[tuple[str, TrustError]] = field(default_factory=list)

    def add(
        self, data_by_file: Mapping[StoredFile, bytes | None], absent: Iterable[Absent], *, from_first: bool
    ) -> None:
        """Take all roots of the archive, lowest version first; None stands for one that cannot be read.

        `from_first` says that the chain has to begin with version 1.
        """
        if len(data_by_file) > MOST_ROOTS:
            self.problems.append((roles.ROOT, MalformedMetadata(f"{self.gun} has more than {MOST_ROOTS} roots.")))
            return
        sound = self._sound(data_by_file)
        versions = {file.version for file in data_by_file}
        first = min(versions, default=0)
        gone = {item.version for item in absent if item.role == roles.ROOT and item.version <= max(versions, default=0)}
        for file in sorted(sound):
            before = [item for item in sound if item.version == file.version - 1]
            signers = [item for item in before if self._follows(sound[item], sound[file])]
            known = any(item.sha256 in self.trusted for item in signers)
            if known or self._is_pinned(sound[file]) or (not self.pins and file.version == first):
                self.trusted[file.sha256] = sound[file]
            else:
                self.unproven[file.sha256] = sound[file]
            if before and not signers and not self._is_pinned(sound[file]):
                self.problems.append((str(file), self._unsigned(file)))
        for name in missing_in(roles.ROOT, versions | gone, start=1 if from_first else first):
            self.problems.append((name, MissingVersion(f"{name} of {self.gun} is missing in the archive.")))
        if self.pins and sound and not self.trusted:
            shown = ", ".join(sorted({key.canonical_id[:16] for root in sound.values() for key in keys_of(root)}))
            self.problems.append(
                (roles.ROOT, UntrustedRoot(f"No root of {self.gun} has a pinned key. Its root keys are {shown}."))
            )

    def _sound(self, data_by_file: Mapping[StoredFile, bytes | None]) -> dict[StoredFile, TrustedRoot]:
        sound = {}
        for file, data in data_by_file.items():
            if data is None:
                continue
            try:
                sound[file] = check_root(read_root(data), self.gun, _ANY_TIME, expiry_counts=False)
            except MetadataError as error:
                self.problems.append((str(file), error))
        return sound

    def _follows(self, previous: TrustedRoot, offered: TrustedRoot) -> bool:
        try:
            require_signed_by(previous.root, offered, self.gun)
        except MetadataError:
            return False
        return True

    def _is_pinned(self, offered: TrustedRoot) -> bool:
        """Tell whether enough pinned keys of a root signed it."""
        if not self.pins:
            return False
        kept = {keyid: key for keyid, key in root_keys(offered.root, self.gun, None).items() if self.pins.allows(key)}
        try:
            require_signed(Role(roles.ROOT, kept, offered.root.roles[roles.ROOT].threshold), offered.envelope)
        except MetadataError:
            return False
        return True

    def _unsigned(self, file: StoredFile) -> UntrustedRoot:
        return UntrustedRoot(f"{file} of {self.gun} is not signed by the root keys before it: the root was replaced.")


def keys_of(root: TrustedRoot) -> list[RootKey]:
    """Give the root keys that a root names."""
    named = root.root.role(roles.ROOT).keys
    return [RootKey(keyid, key.canonical_id, fingerprint(key)) for keyid, key in named.items()]
