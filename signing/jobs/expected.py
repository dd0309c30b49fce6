"""Tell what somebody asked for here from what changed without that.

What counts as agreed is kept with each repository: whoever root, targets and signers were when it was first seen, and
after that only what work of ours, or a person who accepted it, explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Q

from signing.jobs.tag_states import canonical_id
from signing.models import Operation, Repository
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles

Kind = Operation.Kind
State = Operation.State

_REPLACING = (Kind.ROTATE, Kind.REPLACE_KEY, Kind.IMPORT_TRUST)
_MARGIN = timedelta(minutes=10)
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Change:
    """One difference from what was agreed: whose keys, before and now; a signer's name where it is a signer."""

    whose: str
    before: tuple[str, ...]
    now: tuple[str, ...]

    def sentence(self) -> str:
        """Say it for people."""
        if not self.before:
            return f"{self.whose} was added with {_ids(self.now)}"
        if not self.now:
            return f"{self.whose} was removed (before: {_ids(self.before)})"
        return f"the key of {self.whose} changed from {_ids(self.before)} to {_ids(self.now)}"


class Explanations:
    """What work of ours on a repository, under way or ended since its last check, explains."""

    def __init__(self, repository: Repository, since: datetime | None) -> None:
        self._repository = repository
        self._since = since

    def signer(self, name: str) -> bool:
        """Tell whether a signer was to come or go."""
        kinds = (Kind.ADD_SIGNER, Kind.REMOVE_SIGNER)
        return self.keys() or any(row.kind in kinds and str(row.signer) == name for row in self._operations)

    def keys(self) -> bool:
        """Tell whether keys of base roles were to be replaced, or a repository to begin."""
        return any(row.kind in _REPLACING for row in self._operations)

    def signed(self, tag: str) -> bool:
        """Tell whether a tag was to be signed."""
        return self.keys() or any(
            row.kind in (Kind.SIGN, Kind.PUBLISH) and row.parameters.get("tag") == tag for row in self._operations
        )

    def gone(self, tag: str) -> bool:
        """Tell whether a tag was to be revoked, or a signer taken out with whom it goes."""
        return self.keys() or any(
            row.kind == Kind.REMOVE_SIGNER or (row.kind == Kind.REVOKE and row.parameters.get("tag") == tag)
            for row in self._operations
        )

    @cached_property
    def _operations(self) -> list[Operation]:
        """Asked for only where something changed."""
        rows = Operation.objects.filter(repository=self._repository).select_related("signer")
        ended = Q(finished_at__gte=self._since - _MARGIN) if self._since else Q(finished_at__isnull=False)
        return list(rows.filter(~Q(state__in=Operation.FINISHED) | ended))


def keys_found(trusted: TrustedRepository) -> dict[str, Any]:
    """Give the keys of root, targets and signers, by the ids of the bare keys: a new certificate is no new key."""
    return {
        "root": sorted({canonical_id(key) for key in trusted.root.role(roles.ROOT).keys.values()}),
        "repository": sorted({canonical_id(key) for key in trusted.root.role(roles.TARGETS).keys.values()}),
        "signers": {name: sorted(keys) for name, keys in trusted.signers()},
    }


def review(
    accepted: Mapping[str, Any] | None, found: Mapping[str, Any], why: Explanations
) -> tuple[dict[str, Any], list[Change]]:
    """Compare what was agreed with what was found; give what is agreed now, and what nothing explains."""
    if accepted is None:
        return dict(found), []
    agreed = {**accepted, "signers": dict(accepted["signers"])}
    changes: list[Change] = []
    for part, whose in (("root", "root"), ("repository", "the repository (targets)")):
        if accepted[part] != found[part]:
            if why.keys():
                agreed[part] = found[part]
            else:
                changes.append(Change(whose, tuple(accepted[part]), tuple(found[part])))
    for name in sorted({*accepted["signers"], *found["signers"]}):
        before, now = accepted["signers"].get(name, []), found["signers"].get(name, [])
        if before == now:
            continue
        if not why.signer(name):
            changes.append(Change(name, tuple(before), tuple(now)))
        elif now:
            agreed["signers"][name] = now
        else:
            del agreed["signers"][name]
    return agreed, changes


def known_keys(accepted: Mapping[str, Any]) -> frozenset[str]:
    """Give the ids of the keys whose signatures people here know."""
    return frozenset([*accepted["repository"], *(key for keys in accepted["signers"].values() for key in keys)])


def _ids(key_ids: tuple[str, ...]) -> str:
    shown = ", ".join(key_id[:_SHORT] for key_id in key_ids[:4])
    return f"key{'s' * (len(key_ids) > 1)} {shown}"
