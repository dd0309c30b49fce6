"""Who vouches for whom in one repository, from root to tags, as the last check left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from signing.models import Key, Repository, SignedTag, TagVerdict
from signing.selectors.key_matcher import certified_ids
from signing.trust.tuf import roles
from signing.trust.tuf.times import parse_time

TAGS_SHOWN = 5
SIGNER_PREFIX = f"{roles.TARGETS}/"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key of a role: the id the metadata has, that of the bare key, and its row where it is enrolled here."""

    tuf_id: str
    key_id: str
    row: Key | None = None


@dataclass(frozen=True, slots=True)
class RoleInChain:
    """One role: who may sign it, how many must, until when its file counts, and who says so."""

    name: str
    parent: str
    threshold: int
    keys: tuple[KeyUse, ...]
    version: int | None = None
    expires: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TagInChain:
    """One tag, and the roles that list it."""

    name: str
    verdict: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustChain:
    """The whole of it; `more_tags` counts those that are not among `tags`."""

    root: RoleInChain
    base: tuple[RoleInChain, ...]
    delegations: tuple[RoleInChain, ...]
    tags: tuple[TagInChain, ...]
    more_tags: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)


def trust_chain_of(repository: Repository, verdicts: Mapping[str, int]) -> TrustChain | None:
    """Draw it up; None where there is no trust data. `verdicts` counts the signed tags, as `count_signed` does."""
    if not repository.administrative_keys:
        return None
    reader = _Reader(repository)
    tags = _tags_shown(repository)
    delegations = reader.delegations()
    known = {role.name for role in delegations}
    return TrustChain(
        root=reader.role(roles.ROOT, ""),
        base=tuple(reader.role(name, roles.ROOT) for name in (roles.TARGETS, roles.SNAPSHOT, roles.TIMESTAMP)),
        delegations=tuple(delegations),
        tags=tuple(TagInChain(row.tag, row.verdict, _parents(row.signers, known)) for row in tags),
        more_tags=sum(verdicts.values()) - len(tags),
        verdicts=verdicts,
    )


class _Reader:
    """Reads roles out of a repository's row, with the enrolled keys looked up once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._files: dict[str, dict[str, Any]] = {entry["role"]: entry for entry in repository.roles}
        self._signers = {f"{SIGNER_PREFIX}{entry['name']}": entry["keys"] for entry in repository.signers}
        self._bare = certified_ids([repository])
        named = [key for ids in (*self._signers.values(), *self._administrative()) for key in ids]
        named += [key for entry in self._files.values() for key in entry.get("keys", ())]
        wanted = {self._bare.get(key, key) for key in named}
        self._rows = {row.key_id: row for row in Key.objects.filter(key_id__in=wanted).select_related("owner")}

    def role(self, name: str, parent: str) -> RoleInChain:
        """Read one role; what its file does not say, the lists of signers and of administrative keys do."""
        entry = self._files.get(name, {})
        return RoleInChain(
            name=name,
            parent=parent,
            threshold=entry.get("threshold", 1),
            keys=tuple(map(self._key, entry.get("keys") or self._keys_of(name))),
            version=entry.get("version"),
            expires=parse_time(entry["expires"]) if entry.get("expires") else None,
            problem=self._repository.left_out.get(name, ""),
        )

    def delegations(self) -> list[RoleInChain]:
        """List every delegation that is known: with a file, without one yet, or left out."""
        names = [name for name in self._files if roles.is_delegation(name)]
        names += [name for name in (*self._signers, *sorted(self._repository.left_out)) if name not in names]
        unique = dict.fromkeys(names)
        return [self.role(name, _parent(name, unique)) for name in unique]

    def _keys_of(self, name: str) -> list[str]:
        purpose = {roles.ROOT: "root", roles.TARGETS: "repository"}.get(name)
        return list(self._repository.administrative_keys.get(purpose, []) if purpose else self._signers.get(name, []))

    def _administrative(self) -> list[list[str]]:
        return list(self._repository.administrative_keys.values())

    def _key(self, tuf_id: str) -> KeyUse:
        bare = self._bare.get(tuf_id) or tuf_id
        return KeyUse(tuf_id, bare, self._rows.get(bare))


def _parent(name: str, known: Mapping[str, None]) -> str:
    """Find the role that delegates to this one: the longest name it begins with, else targets itself."""
    above = name.rpartition("/")[0]
    while above and above not in known:
        above = above.rpartition("/")[0]
    return above or roles.TARGETS


def _parents(signers: Sequence[str], known: set[str]) -> tuple[str, ...]:
    """Name the roles that list a tag: its signers', or targets where the repository key signed it."""
    names = [name for name in (f"{SIGNER_PREFIX}{signer}" for signer in signers) if name in known]
    if not names:
        return (roles.TARGETS,)
    return (*names, roles.RELEASES) if roles.RELEASES in known else tuple(names)


def _tags_shown(repository: Repository) -> list[SignedTag]:
    """Choose the few that are drawn: what is not right first, then what was signed last."""
    wrong = list(repository.tags.exclude(verdict=TagVerdict.VERIFIED).order_by("-first_seen", "-pk")[:TAGS_SHOWN])
    right = repository.tags.filter(verdict=TagVerdict.VERIFIED).order_by("-first_seen", "-pk")
    return wrong + list(right[: TAGS_SHOWN - len(wrong)])
