"""Whose keys will probably sign, told from what is remembered of a repository before its newest state is read.

Nothing is decided by it: keys are opened early, and which of them sign what is found out from the newest state.
"""

from __future__ import annotations

from collections.abc import Collection

from signing.trust.errors import TrustError
from signing.trust.notary.cache import TrustCache
from signing.trust.notary.changelist import EVERY_DELEGATION
from signing.trust.notary.reading import LARGEST_KEPT, read_as, read_envelope
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Root, Targets
from signing.trust.tuf.roles import Role


def remembered_roles(cache: TrustCache, names: Collection[str]) -> list[Role]:
    """Give roles as they are remembered, by name: `root`, `targets`, delegations below it, or `EVERY_DELEGATION`.

    Where there is no delegation, `targets` itself stands for every one. What is not remembered is left out.
    """
    try:
        root, targets = _root(cache), _targets(cache, names)
    except TrustError:
        return []
    found = [root.role(name) for name in names if root and name in roles.BASE_ROLES]
    if targets is not None:
        delegated = [item.name for item in targets.delegations if item.name in names or EVERY_DELEGATION in names]
        found += [role for role in map(targets.role, delegated) if role is not None]
        if not delegated and root is not None:
            found.append(root.role(roles.TARGETS))
    return found


def _root(cache: TrustCache) -> Root | None:
    data = cache.load(roles.ROOT)
    return None if data is None else read_as(Root, read_envelope(data))


def _targets(cache: TrustCache, names: Collection[str]) -> Targets | None:
    """Read it if that serves the reading of the newest state, too."""
    data = cache.load(roles.TARGETS) if any(roles.parent_of(name) == roles.TARGETS for name in names) else None
    return None if data is None or len(data) > LARGEST_KEPT else read_as(Targets, read_envelope(data))
