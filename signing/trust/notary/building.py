"""Make the update that a publish sends, out of changes or new base keys; nothing is signed or sent here.

Publishing uses this, and whoever wants to know beforehand what a publish would do. Reference 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.base_keys import with_keys
from signing.trust.notary.changelist import Change
from signing.trust.notary.consequences import settle
from signing.trust.notary.draft import TARGETS_LIFETIME, Draft, first_targets
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import NEAR_EXPIRY, Update, from_draft, renewed
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Root


def built(
    draft: Draft,
    before: TrustedRepository,
    changes: Sequence[Change],
    held: KeysAtHand,
    now: datetime,
    *,
    force: bool,
) -> Update:
    """Apply changes; a root within six months of its end is signed anew by the way if its key is at hand.

    Raises:
        NotConfirmed: tags would stop verifying, or a role could not be signed any more, and `force` is not set.
    """
    for change in changes:
        draft.apply(change)
    settle(draft, before, held, force=force)
    update = from_draft(draft, before.root)
    is_near = before.root.expires < now + NEAR_EXPIRY
    if update.is_empty or not is_near or not held.can_sign(before.root.role(roles.ROOT)):
        return update
    return replace(update, root=renewed(before.root, now))


def first_update(root: Root, changes: Sequence[Change], now: datetime) -> Update:
    """Make the first publish of a repository: its root, and targets with the changes."""
    draft = Draft({roles.TARGETS: first_targets(now + TARGETS_LIFETIME)}, now)
    for change in [Change.witness(roles.TARGETS), *changes]:  # Notary's clients send version 2 first
        draft.apply(change)
    return Update({roles.TARGETS: (root.role(roles.TARGETS), draft.changed[roles.TARGETS])}, root)


def rotation_update(
    draft: Draft, before: TrustedRepository, role: str, keys: Sequence[PublicKey], now: datetime
) -> Update:
    """Give a base role other keys; new keys of targets sign its file anew."""
    root = with_keys(before.root, role, keys)
    if role == roles.TARGETS:
        draft.apply(Change.witness(roles.TARGETS))
    return replace(from_draft(draft, root), root=renewed(root, now))
