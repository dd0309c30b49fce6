"""Replace one key wherever a repository lists it, in one publish: what names it, and what takes its place.

A delegation gets the new key where it had the old one, and every file that would lose a signature is signed anew with
the same content; `targets` and `root` follow as in a rotation, so that old clients go on from root to root. Nothing
here opens a key. Reference 4.3, 4.7, 6 "Rotation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from signing.trust.errors import InvalidKey, KeyIdMismatch
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.base_keys import with_keys
from signing.trust.notary.building import built
from signing.trust.notary.changelist import Change
from signing.trust.notary.draft import Draft
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update, from_draft, renewed
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.roles import Role

REPLACED = (roles.ROOT, roles.TARGETS)
"""The base roles whose keys people hold; a trust server's own keys are replaced by `rotation`."""


@dataclass(frozen=True, slots=True)
class Use:
    """One role that lists a key.

    `left` counts the other keys of the role, `signs` whether a signature by this key counts in its file now, and
    `tags` are the names in that file then.
    """

    role: str
    threshold: int
    left: int
    signs: bool
    tags: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether nobody could sign the role without the key."""
        return self.left < self.threshold


def uses_of(trusted: TrustedRepository, key_id: str) -> list[Use]:
    """List the roles that list a key, by its canonical id: base roles first, then delegations from the top down."""
    found = [_use(trusted, trusted.root.role(name), key_id) for name in roles.BASE_ROLES]
    found += [_use(trusted, role, key_id) for role in _delegated(trusted)]
    return [use for use in found if use is not None]


def verifies(trusted: TrustedRepository, key_id: str) -> list[str]:
    """List the files in which a signature by a key, by its canonical id, counts; none once it is replaced."""
    return [use.role for use in uses_of(trusted, key_id) if use.signs]


def replacement_update(
    draft: Draft,
    before: TrustedRepository,
    old: str,
    new: PublicKey,
    certificate: PublicKey | None,
    held: KeysAtHand,
    now: datetime,
) -> Update:
    """Put `new` in the place of the key `old`, by canonical id; nothing where no role lists it.

    `certificate` holds the new key for the root role of this repository; None stands for one that is not made yet,
    where the keys of the new root are not looked for.

    Raises:
        NotConfirmed: tags would stop verifying, or a role could not be signed any more.
        CannotSign: too few keys of a role that has to sign are at hand.
    """
    named = {use.role for use in uses_of(before, old)}
    changes = [
        change for name in sorted(named) if roles.is_delegation(name) for change in _in_delegation(name, old, new)
    ]
    update = built(draft, before, changes, held, now, force=False)
    root = _root(update.root or before.root, named, old, new, certificate)
    if root is not None:
        if roles.TARGETS in named:
            draft.apply(Change.witness(roles.TARGETS))
        update = replace(from_draft(draft, root), root=root if update.root else renewed(root, now))
    _require_signable(update, before, held, is_certain=certificate is not None or roles.ROOT not in named)
    return update


def _root(root: Root, named: set[str], old: str, new: PublicKey, certificate: PublicKey | None) -> Root | None:
    if not named.intersection(REPLACED):
        return None
    if roles.TARGETS in named:
        root = with_keys(root, roles.TARGETS, _replaced(root.role(roles.TARGETS), old, new))
    if roles.ROOT in named:
        stand_in = certificate or PublicKey("ecdsa", b"new root key 0")
        root = with_keys(root, roles.ROOT, _replaced(root.role(roles.ROOT), old, stand_in))
    return root


def _replaced(role: Role, old: str, new: PublicKey) -> list[PublicKey]:
    keys = [new if _name_of(keyid, key) == old else key for keyid, key in role.keys.items()]
    return list({key.key_id: key for key in keys}.values())


def _in_delegation(name: str, old: str, new: PublicKey) -> Sequence[Change]:
    return Change.add_delegation(name, [new], []), Change.edit_delegation(name, remove_keys=[old])


def _require_signable(update: Update, before: TrustedRepository, held: KeysAtHand, *, is_certain: bool) -> None:
    for role, _ in update.files.values():
        held.require(role)
    if update.root is not None:
        held.require(before.root.role(roles.ROOT))
        if is_certain:
            held.require(update.root.role(roles.ROOT))


def _delegated(trusted: TrustedRepository) -> Iterator[Role]:
    files = {roles.TARGETS: trusted.targets, **trusted.delegations}
    for file in files.values():
        for item in file.delegations:
            role = file.role(item.name)
            if role is not None:
                yield role


def _use(trusted: TrustedRepository, role: Role, key_id: str) -> Use | None:
    ids = {_name_of(keyid, key) for keyid, key in role.keys.items()}
    if key_id not in ids:
        return None
    signs = role.name in trusted.envelopes and key_id in _signing(role, trusted.envelopes[role.name])
    return Use(role.name, role.threshold, len(ids) - 1, signs, _tags(trusted, role.name) if signs else ())


def _tags(trusted: TrustedRepository, name: str) -> tuple[str, ...]:
    files = {roles.TARGETS: trusted.targets, **trusted.delegations}
    return tuple(sorted(files[name].targets)) if name in files else ()


def _signing(role: Role, envelope: Envelope) -> set[str]:
    try:
        return {key.canonical_id for key in role.signing_keys(envelope)}
    except (KeyIdMismatch, InvalidKey):
        return set()


def _name_of(keyid: str, key: PublicKey) -> str:
    try:
        return key.canonical_id
    except InvalidKey:
        return keyid


def tags_of(uses: Sequence[Use]) -> list[str]:
    """List the names in the files that a key signs, each once."""
    return sorted({tag for use in uses for tag in use.tags})


def needs_certificate(trusted: TrustedRepository, key_id: str) -> bool:
    """Tell whether the successor of a key, by its canonical id, needs a certificate for the root role."""
    return any(_name_of(keyid, key) == key_id for keyid, key in trusted.root.role(roles.ROOT).keys.items())
