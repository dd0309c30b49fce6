"""Delegate and take back: signers as docker has them, delegations as notary has them (reference 5.1, 5.4, 6)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from signing.trust.errors import InvalidInput, InvalidName, NoSuchSigner, NotFound
from signing.trust.notary.changelist import Change
from signing.trust.notary.delegating import canonical_id
from signing.trust.notary.trusted import EVERYTHING, TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Delegation, Targets

LONGEST_PATH = 255
SHORTEST_ID = 6


def signer_role(name: str) -> str:
    """Name the role of a signer.

    Raises:
        InvalidName: no signer can have that name.
    """
    return f"targets/{roles.check_signer_name(name)}"


def adding_signer(name: str, keys: Sequence[PublicKey]) -> list[Change]:
    """Plan that `keys` sign as `name`, and release what they sign.

    Raises:
        InvalidInput: there are no keys.
        InvalidName: no signer can have that name.
    """
    if not keys:
        raise InvalidInput(f"The signer {name} needs a public key.", next_step="Give at least one public key.")
    return [Change.add_delegation(role, keys, EVERYTHING) for role in (signer_role(name), roles.RELEASES)]


def has_signer(trusted: TrustedRepository, name: str, key_ids: Collection[str]) -> bool:
    """Tell whether these keys sign as `name`."""
    return set(key_ids) <= set(dict(trusted.signers()).get(name, []))


def removing_signer(trusted: TrustedRepository, name: str) -> list[Change]:
    """Plan that nobody signs as `name`; keys that another signer has as well go on releasing what that one signs.

    Raises:
        NoSuchSigner: there is no such signer.
    """
    keys = _keys_of(trusted, signer_role(name)) - _keys_of_others(trusted, name)
    return [*_leaving_releases(trusted, keys), Change.remove_delegation(signer_role(name))]


def replacing_signer_keys(
    trusted: TrustedRepository, name: str, keys: Sequence[PublicKey], old: Collection[str] = ()
) -> list[Change]:
    """Plan that `keys` sign as `name` instead of those `old`, by canonical id, or of all it has.

    Raises:
        NoSuchSigner: there is no such signer, or it does not have an old key.
    """
    role, kept = signer_role(name), {key.canonical_id for key in keys}
    listed = _keys_of(trusted, role)
    if missing := set(old) - listed:
        raise NoSuchSigner(f"{name} does not sign {trusted.gun} with {', '.join(sorted(missing))[:200]}.")
    gone = (set(old) or listed) - kept
    leaving = gone - _keys_of_others(trusted, name)
    dropped = [Change.edit_delegation(role, remove_keys=sorted(gone))] if gone else []
    return [*adding_signer(name, keys), *dropped, *_leaving_releases(trusted, leaving)]


def removing_from_delegation(
    role: str, key_ids: Sequence[str] = (), paths: Sequence[str] = (), *, all_paths: bool = False
) -> Change:
    """Plan that a delegation lacks these keys and paths; with neither, that there is no such delegation."""
    if not key_ids and not paths and not all_paths:
        return Change.remove_delegation(role)
    return Change.edit_delegation(role, remove_keys=key_ids, remove_paths=paths, clear_paths=all_paths)


def find_delegation(trusted: TrustedRepository, role: str) -> tuple[Targets, Delegation]:
    """Give a delegation and the file that has it.

    Raises:
        NotFound: there is no such delegation.
    """
    parent = roles.parent_of(role)
    file = trusted.targets if parent == roles.TARGETS else trusted.delegations.get(parent)
    item = file.delegation(role) if file else None
    if file is None or item is None:
        raise NotFound(f"{trusted.gun} has no delegation {role[:80]!r}.", next_step="List the delegations first.")
    return file, item


def check_delegation(role: str) -> str:
    """Return `role` if it is the name of a delegation; a bare name is one directly below `targets`.

    Raises:
        InvalidName: otherwise.
    """
    name = role if role.startswith("targets/") else f"targets/{role}"
    if not roles.is_delegation(name):
        raise InvalidName(f"{role[:80]!r} is not the name of a delegation.", next_step="Use a-z, 0-9, - and _ only.")
    return name


def split_paths(texts: Sequence[str]) -> list[str]:
    """Read path prefixes given as `a,b`, several times or not; one empty text is the prefix of every tag.

    Raises:
        InvalidInput: no tag begins so.
    """
    paths = [path for text in texts for path in (text.split(",") if text else [""])]
    for path in paths:
        if not path.isprintable() or len(path) > LONGEST_PATH or (not path and "" not in texts):
            raise InvalidInput(f"No tag begins with {path[:80]!r}.", next_step="Separate paths by one comma each.")
    return list(dict.fromkeys(paths))


def full_key_ids(
    file: Targets, items: Sequence[Delegation], texts: Sequence[str], *, must_exist: bool = True
) -> list[str]:
    """Give the canonical ids of a file's delegated keys that begin with `texts`, in either form of an id.

    Raises:
        InvalidInput: an id is too short, fits several keys, or none though it must.
    """
    listed = {keyid: canonical_id(file, keyid) for item in items for keyid in item.keyids}
    return [key_id for text in texts for key_id in _named(listed, text, must_exist=must_exist)]


def _named(listed: Mapping[str, str], text: str, *, must_exist: bool) -> list[str]:
    if len(text) < SHORTEST_ID:
        raise InvalidInput(f"{text!r} is too short for a key's id.", next_step=f"Give {SHORTEST_ID} digits or more.")
    found = {full for keyid, full in listed.items() if keyid.startswith(text) or full.startswith(text)}
    if len(found) > 1 or (must_exist and not found):
        how_many = "Several keys fit" if found else "No key fits"
        raise InvalidInput(f"{how_many} {text[:80]!r}.", next_step="Look at `trustctl delegation list REPOSITORY`.")
    return sorted(found)


def _leaving_releases(trusted: TrustedRepository, key_ids: set[str]) -> list[Change]:
    has_releases = trusted.targets.delegation(roles.RELEASES) is not None
    if not key_ids or not has_releases:
        return []
    return [Change.edit_delegation(roles.RELEASES, remove_keys=sorted(key_ids))]


def _keys_of(trusted: TrustedRepository, role: str) -> set[str]:
    item = trusted.targets.delegation(role)
    if item is None:
        raise NoSuchSigner(
            f"{trusted.gun} has no signer {role.removeprefix('targets/')}.", next_step="Look who is: trustctl inspect."
        )
    return {canonical_id(trusted.targets, keyid) for keyid in item.keyids}


def _keys_of_others(trusted: TrustedRepository, name: str) -> set[str]:
    own = (f"targets/{name}", roles.RELEASES)
    others = [item for item in trusted.targets.delegations if item.name not in own]
    return {canonical_id(trusted.targets, keyid) for item in others for keyid in item.keyids}
