"""Sign and revoke tags: which roles hold them (reference 5.2, 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from signing.trust.errors import CannotSign, ExpiredMetadata, InvalidInput
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.changelist import Change
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Target
from signing.trust.tuf.roles import Role


def signing(
    trusted: TrustedRepository, held: KeysAtHand, targets: Sequence[Target], into: Sequence[str] = ()
) -> list[Change]:
    """Plan that these tags are signed: in the roles `into`, else in those whose key is at hand, as docker does.

    With delegations these are `targets/releases` and the signer's own; without any it is `targets`.

    Raises:
        CannotSign: no key at hand may sign.
        ExpiredMetadata: a role to sign in has expired; it has to be signed anew first.
    """
    if into:
        for role in into:
            _require_role(trusted, held, role)
        return [Change.set_target(role, target) for target in targets for role in into]
    chosen: dict[
        tuple[str, ...], list[str]
    ] = {}  # by what may hold a tag, as the key store is asked long for thousands
    changes = []
    for target in targets:
        matching = _matching(trusted, target.name)
        if matching not in chosen:
            chosen[matching] = _chosen(trusted, held, target.name, matching)
        changes += [Change.set_target(role, target) for role in chosen[matching]]
    return changes


def is_signed(trusted: TrustedRepository, targets: Sequence[Target], into: Sequence[str] = ()) -> bool:
    """Tell whether each tag is released with its digest, or is in the roles `into`."""
    if into:
        files = {roles.TARGETS: trusted.targets, **trusted.delegations}
        held = [files[role].targets if role in files else {} for role in into]
        return all(target.name in file and file[target.name] == target for file in held for target in targets)
    released = trusted.released_among({target.name for target in targets})
    pairs = {(row.tag, row.digest_hex) for row in released}
    return all((target.name, target.digest) in pairs for target in targets)


def revoking(trusted: TrustedRepository, held: KeysAtHand, tags: Sequence[str] = ()) -> list[Change]:
    """Plan that these tags, or all, are released no more; other signers' own roles keep them if their key is away.

    Tags that only the repository key signed go too, which docker forgets where there are signers. All means those a
    signer alone signed, too.

    Raises:
        NoSuchTarget: one of the tags is not signed.
        CannotSign: a key without which it stays released is not at hand.
    """
    for tag in tags:
        trusted.find_released(tag)
    files = {roles.TARGETS: trusted.targets, **trusted.delegations}
    wanted = set(tags) or {tag for file in files.values() for tag in file.targets}
    changes = []
    for name, file in files.items():
        role = role_of(trusted, name)
        if not wanted & file.targets.keys() or name.count("/") > 1:
            continue
        if held.can_sign(role):
            changes += [Change.remove_target(name, tag) for tag in file.targets if tag in wanted]
        elif name in (roles.TARGETS, roles.RELEASES):
            held.require(role)
    return [*changes, *([] if tags else _starting_anew(trusted, held))]


def is_revoked(trusted: TrustedRepository, tags: Sequence[str] = ()) -> bool:
    """Tell whether none of the tags, or none at all, is released."""
    return not (trusted.released_among(set(tags)) if tags else trusted.released_tags().tags)


def roles_to_sign(trusted: TrustedRepository, held: KeysAtHand, tag: str) -> list[str]:
    """Give the roles that docker signs a tag in: those whose paths match and one of whose keys is at hand.

    Raises:
        CannotSign: `targets/releases`, without which no tag is released, is not among them.
    """
    return _chosen(trusted, held, tag, _matching(trusted, tag))


def _matching(trusted: TrustedRepository, tag: str) -> tuple[str, ...]:
    """Name the delegations whose paths match."""
    return tuple(item.name for item in trusted.targets.delegations if tag.startswith(item.paths))


def _chosen(trusted: TrustedRepository, held: KeysAtHand, tag: str, matching: Sequence[str]) -> list[str]:
    if not trusted.targets.delegations:
        held.require(trusted.root.role(roles.TARGETS))
        return [roles.TARGETS]
    found = [name for name in matching if held.of(role_of(trusted, name))]
    if roles.RELEASES not in found:
        raise CannotSign(
            f"None of the keys at hand may sign {tag} of {trusted.gun}: no signer there has them.",
            gun=str(trusted.gun),
        )
    for role in found:
        held.require(role_of(trusted, role))
        _require_usable(trusted, role)
    return found


def _require_usable(trusted: TrustedRepository, role: str) -> None:
    """Refuse to sign over a file that does not count, except one of a signer's own that their old key signed.

    The tags of an expired file, and those that were released, are not dropped by the way.
    """
    error = trusted.left_out.get(role)
    if error is None or (role != roles.RELEASES and not isinstance(error, ExpiredMetadata)):
        return
    raise error.advising(f"Sign {role} anew first (trustctl witness), or revoke all tags and begin anew.")


def _require_role(trusted: TrustedRepository, held: KeysAtHand, role: str) -> None:
    found = role_of(trusted, role)
    if not found.keys:
        raise InvalidInput(f"{trusted.gun} has no role {role[:80]!r}.", next_step="Choose one it delegates to.")
    held.require(found)
    _require_usable(trusted, role)


def _starting_anew(trusted: TrustedRepository, held: KeysAtHand) -> list[Change]:
    """Empty a `targets/releases` that does not count now, so that it can be signed in again."""
    if roles.RELEASES not in trusted.left_out or not held.can_sign(role_of(trusted, roles.RELEASES)):
        return []
    return [Change.clear(roles.RELEASES)]


def role_of(trusted: TrustedRepository, name: str) -> Role:
    """Give a role people sign; one that nobody delegates to has no keys."""
    if name == roles.TARGETS:
        return trusted.root.role(name)
    parent = roles.parent_of(name)
    file = trusted.targets if parent == roles.TARGETS else trusted.delegations.get(parent)
    return (file.role(name) if file else None) or Role(name, {}, 1)
