"""What a change does, worked out before anybody signs: the same update that a publish would make, and what it breaks.

Pure, and without a private key, so that pages can show it and an approval can be for exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from signing.trust.errors import InvalidKey, MetadataError
from signing.trust.notary import base_keys
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.building import built, first_update, rotation_update
from signing.trust.notary.changelist import Change
from signing.trust.notary.draft import Draft
from signing.trust.notary.lines import diff_lines
from signing.trust.notary.replacing import replacement_update
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Targets


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does to one repository.

    `lines` are those of `lines.diff_lines`; none means that it is true already. `stopping` names the tags that would
    not be released any more, `unsignable` the roles that would have fewer keys than they need signatures.
    """

    lines: tuple[str, ...] = ()
    stopping: tuple[str, ...] = ()
    unsignable: tuple[str, ...] = ()


def effect_of_changes(before: TrustedRepository, changes: Sequence[Change], held: KeysAtHand, now: datetime) -> Effect:
    """Tell what publishing `changes` does, with these keys at hand.

    Raises:
        TrustError: a change that cannot be made.
    """
    draft = Draft({roles.TARGETS: before.targets, **before.delegations}, now)
    return _effect(before, built(draft, before, changes, held, now, force=True))


def effect_of_first(root_key: PublicKey, changes: Sequence[Change], now: datetime) -> Effect:
    """Tell what initialising a repository under `root_key` with `changes` does; its other keys do not exist yet."""
    keys = {role: new_keys(role)[0] for role in roles.BASE_ROLES} | {roles.ROOT: root_key}
    return Effect(tuple(diff_lines(None, first_update(base_keys.first_root(keys, now), changes, now))))


def effect_of_rotation(before: TrustedRepository, role: str, now: datetime, count: int = 0) -> Effect:
    """Tell what giving a base role new keys does: so many, else as many as have to sign."""
    draft = Draft({roles.TARGETS: before.targets, **before.delegations}, now)
    keys = new_keys(role, count or before.root.roles[role].threshold)
    return _effect(before, rotation_update(draft, before, role, keys, now))


def effect_of_replacement(
    before: TrustedRepository, old: str, new: PublicKey, held: KeysAtHand, now: datetime
) -> Effect:
    """Tell what putting a key in the place of another one, by its canonical id, does wherever that is listed.

    Raises:
        NotConfirmed: tags would stop verifying, or a role could not be signed any more.
        CannotSign: too few keys of a role that has to sign are at hand.
    """
    draft = Draft({roles.TARGETS: before.targets, **before.delegations}, now)
    return _effect(before, replacement_update(draft, before, old, new, None, held, now))


def new_keys(role: str, count: int = 1) -> list[PublicKey]:
    """Give stand-ins for keys of a base role that do not exist yet; the diff shows their place only."""
    return [PublicKey("ecdsa", f"new {role} key {number}".encode()) for number in range(count)]


def _effect(before: TrustedRepository, update: Update) -> Effect:
    if update.is_empty:
        return Effect()
    after = _after(before, update)
    listed = set(after.released_tags().tags)
    stopping = dict.fromkeys(tag for tag in before.released_tags().tags if tag not in listed)
    return Effect(tuple(diff_lines(before, update)), tuple(stopping), tuple(_unsignable(before, update)))


def _after(before: TrustedRepository, update: Update) -> TrustedRepository:
    """Give the repository as clients will read it: files whose signatures do not suffice any more are left out."""
    made = {name: file for name, (_, file) in update.files.items()}
    targets = made.get(roles.TARGETS, before.targets)
    found: dict[str, Targets] = {}
    waiting: list[tuple[str, Targets]] = [(roles.TARGETS, targets)]
    while waiting:
        _, parent = waiting.pop()
        for item in parent.delegations:
            file = made.get(item.name) or before.delegations.get(item.name)
            if file is not None and (item.name in made or _counts(before, parent, item.name)):
                found[item.name] = file
                waiting.append((item.name, file))
    ordered = {name: found[name] for name in [*before.delegations, *sorted(found)] if name in found}
    return replace(before, targets=targets, delegations=ordered)


def _counts(before: TrustedRepository, parent: Targets, name: str) -> bool:
    role = parent.role(name)
    if role is None:
        return False
    if role == _role_before(before, name):
        return True
    try:
        role.require_threshold(before.envelopes[name])
    except (MetadataError, InvalidKey):
        return False
    return True


def _role_before(before: TrustedRepository, name: str) -> object:
    parents: Mapping[str, Targets] = {roles.TARGETS: before.targets, **before.delegations}
    parent = parents.get(roles.parent_of(name))
    return parent.role(name) if parent else None


def _unsignable(before: TrustedRepository, update: Update) -> Iterator[str]:
    was = {roles.TARGETS: before.targets, **before.delegations}
    for name, (_, file) in update.files.items():
        for item in file.delegations:
            earlier = was[name].delegation(item.name) if name in was else None
            was_signable = earlier is None or len(earlier.keyids) >= earlier.threshold
            if len(item.keyids) < item.threshold and was_signable:
                yield item.name
