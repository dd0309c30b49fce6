"""A verified repository, and the questions docker asks of one (reference 4.4, 5.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from signing.trust.errors import InvalidKey, NoSuchTarget, TrustError, UnknownDelegation
from signing.trust.notary.gun import Gun
from signing.trust.notary.released import ReleasedTag, ReleasedTags, released_tags
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root, Snapshot, Target, Targets, Timestamp
from signing.trust.tuf.roles import Role

__all__ = ["ReleasedTag", "TrustedRepository", "WalkedRole", "restricted"]

EVERYTHING = ("",)
"""The path prefix of `targets` itself: it may hold every name."""


class WalkedRole(NamedTuple):
    """One targets file on the walk, with the paths its parents leave it."""

    name: str
    file: Targets
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustedRepository:
    """Everything known of one GUN, every byte of it verified.

    `left_out` names delegations that do not count now and why: expired, signed by too few of their keys, or not what a
    delegation should be; their files as the snapshot promises them are in `left_out_files`, unless they are too large
    to be read. A delegation without any file is in neither. `is_stale` says that the server did not answer and an
    earlier timestamp still held. `memo` keeps what was worked out of it, for those who ask again.
    """

    gun: Gun
    root: Root
    timestamp: Timestamp
    snapshot: Snapshot
    targets: Targets
    delegations: Mapping[str, Targets]
    envelopes: Mapping[str, Envelope]
    left_out: Mapping[str, TrustError]
    is_stale: bool = False
    left_out_files: Mapping[str, bytes] = field(default_factory=dict)
    memo: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def files(self) -> dict[str, Timestamp | Snapshot | Targets]:
        """Give every verified file below the root by its role."""
        return {
            roles.TIMESTAMP: self.timestamp,
            roles.SNAPSHOT: self.snapshot,
            roles.TARGETS: self.targets,
            **self.delegations,
        }

    def raw_files(self) -> dict[str, bytes]:
        """Give the exact bytes of every file by its role, the root's too."""
        return {name: envelope.raw for name, envelope in self.envelopes.items()}

    def role(self, name: str) -> Role:
        """Give a base role, or a delegation that is among `files`, with its keys.

        Raises:
            UnknownDelegation: its parent does not delegate to it.
        """
        if not roles.is_delegation(name):
            return self.root.role(name)
        parent = roles.parent_of(name)
        found = (self.targets if parent == roles.TARGETS else self.delegations[parent]).role(name)
        if found is None:
            raise UnknownDelegation(f"{parent} does not delegate to {name}.", role=name)
        return found

    def released(self, tag: str | None = None) -> list[ReleasedTag]:
        """List the released tags, or one, in docker's natural order; a tag released with two digests comes twice.

        As docker does, the list of all tags passes over the paths of delegations, the question for one does not.
        """
        return self.released_tags(tag).rows()

    def released_tags(self, tag: str | None = None) -> ReleasedTags:
        """List the same as columns, the list of all of them only once."""
        found: ReleasedTags | None = self.memo.get("released") if tag is None else None
        if found is None:
            found = _released((role.name, _targets(role.file, tag)) for role in self._walk(tag))
            if tag is None:
                self.memo["released"] = found
        return found

    def released_among(self, tags: Collection[str]) -> list[ReleasedTag]:
        """List those of the released tags that are among `tags`, as the list of all of them has them."""
        in_order = sorted(tags)
        return _released((role.name, _among(role.file, in_order)) for role in self._walk(None)).rows()

    def find_released(self, tag: str) -> ReleasedTag:
        """Give the one digest that pulling `tag` means: that of `targets/releases`, else that of `targets`.

        Raises:
            NoSuchTarget: neither has it; a signer's own signature alone does not release a tag.
        """
        found = self._in_releases(tag) or self.targets.targets.get(tag)
        if found is None:
            alone = [_signer(walked.name) for walked in self._walk(tag) if tag in walked.file.targets]
            why = f" {', '.join(alone)} signed it, but it was not released." if alone else ""
            raise NoSuchTarget(f"{tag!r} is not signed in {self.gun}.{why}", gun=str(self.gun), tag=tag)
        return next(row for row in self.released(tag) if row.digest_hex == found.digest)

    def find_digest(self, digest_hex: str) -> ReleasedTag:
        """Give a tag that means this digest when it is pulled: what is listed but cannot be pulled does not count.

        Raises:
            NoSuchTarget: there is none.
        """
        for row in self.released():
            if row.digest_hex == digest_hex:
                with suppress(NoSuchTarget):
                    found = self.find_released(row.tag)
                    if found.digest_hex == digest_hex:
                        return found
        raise NoSuchTarget(f"No released tag of {self.gun} has the digest {digest_hex[:80]!r}.", gun=str(self.gun))

    def _in_releases(self, tag: str) -> Target | None:
        for walked in self._walk(tag):
            if walked.name == roles.RELEASES:
                return walked.file.targets.get(tag)
        return None

    def signers(self) -> list[tuple[str, list[str]]]:
        """List the signers with the canonical ids of their keys, in the order of delegation, without releases.

        A key that cannot be read keeps the id it is listed under.
        """
        listed: dict[str, list[str]] = {}
        for walked in self._walk(None):
            for item in walked.file.delegations:
                if item.name != roles.RELEASES:
                    listed[_signer(item.name)] = [_canonical_id(keyid, walked.file.keys) for keyid in item.keyids]
        return list(listed.items())

    def administrative_keys(self) -> dict[str, list[str]]:
        """Give the ids, as metadata lists them, of the root keys and of the repository's keys."""
        return {
            "root": list(self.root.roles[roles.ROOT].keyids),
            "repository": list(self.root.roles[roles.TARGETS].keyids),
        }

    def _walk(self, tag: str | None) -> Iterator[WalkedRole]:
        """Visit `targets` and what it delegates to, breadth first; with a tag only where its paths allow it."""
        waiting = [WalkedRole(roles.TARGETS, self.targets, EVERYTHING)]
        while waiting:
            walked = waiting.pop(0)
            if tag is not None and not tag.startswith(walked.paths):  # no paths match nothing
                continue
            yield walked
            for item in walked.file.delegations:
                file = self.delegations.get(item.name)
                if file is not None:
                    waiting.append(WalkedRole(item.name, file, restricted(item.paths, walked.paths)))


def restricted(paths: tuple[str, ...], parent_paths: tuple[str, ...]) -> tuple[str, ...]:
    """Keep of a role's paths those its parent may give away (reference 2.5)."""
    return tuple(path for path in paths if path.startswith(parent_paths))


def _released(walked: Iterable[tuple[str, Mapping[str, Target]]]) -> ReleasedTags:
    roles_with_targets = [(name, targets) for name, targets in walked if targets]
    releasing = [targets for name, targets in roles_with_targets if _is_releasing(name)]
    signing = [(_signer(name), targets) for name, targets in roles_with_targets if not _is_releasing(name)]
    return released_tags(releasing, signing)


def _is_releasing(role: str) -> bool:
    return role in (roles.TARGETS, roles.RELEASES)


def _signer(role: str) -> str:
    return role.removeprefix("targets/")


def _targets(file: Targets, tag: str | None) -> Mapping[str, Target]:
    if tag is None:
        return file.targets
    found = file.targets.get(tag)
    return {} if found is None else {tag: found}


def _among(file: Targets, tags: Collection[str]) -> Mapping[str, Target]:
    return {tag: file.targets[tag] for tag in tags if tag in file.targets}


def _canonical_id(keyid: str, keys: Mapping[str, PublicKey]) -> str:
    try:
        return keys[keyid].canonical_id
    except InvalidKey:
        return keyid
