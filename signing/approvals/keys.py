"""Which keys the work on one repository uses, and which passphrases it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signing.models import ChangeRequest, Key, Repository, Rotation, Signer
from signing.trust.errors import InvalidKey, MetadataError
from signing.trust.notary.root_rules import read_root

Kind = ChangeRequest.Kind

ROOT, REPOSITORY, SIGNER, NEW_ROOT = "root", "repository", "signer", "new_root"
PURPOSES = (ROOT, NEW_ROOT, REPOSITORY, SIGNER)


def keys_for(kind: str, repository: Repository, signer: Signer | None) -> list[Key]:
    """List the keys that may be used for a change of this kind, and no others.

    Until it has trust data, a repository takes the account's newest root key; later any of them that it names, and
    these come first.
    """
    keys = sorted(repository.account.keys.all(), key=lambda key: key.pk)  # asked for once where they were prefetched
    ours = [key for key in keys if key.purpose == Key.Purpose.REPOSITORY and key.gun == repository.gun]
    own = [signer.key] if signer else []
    if kind == Kind.SIGN:
        return own
    if kind == Kind.REVOKE:
        return [*own, *ours]
    roots = [key for key in reversed(keys) if key.purpose == Key.Purpose.ROOT]
    return [*(_in_use_first(repository, roots) if repository.administrative_keys else roots[:1]), *ours]


def keys_replacing(repository: Repository, parameters: Mapping[str, Any]) -> list[Key]:
    """List the keys that may be used for putting one key in the place of another; a lost one is none of them."""
    usual = keys_for(Kind.REPLACE_KEY, repository, None)
    new = [key for key in repository.account.keys.all() if key.key_id == parameters["new"] and key not in usual]
    is_lost = parameters["reason"] == Rotation.Reason.LOST
    return [key for key in [*usual, *new] if not (is_lost and key.key_id == parameters["old"])]


def _in_use_first(repository: Repository, roots: list[Key]) -> list[Key]:
    """Put the keys that the repository's root names before those that were, or will be, root keys of others."""
    data = repository.metadata.filter(role=ROOT).values_list("data", flat=True).first() if len(roots) > 1 else None
    try:
        named = read_root(bytes(data)).root.role(ROOT).keys.values() if data else ()
        in_use = {key.canonical_id for key in named}
    except (MetadataError, InvalidKey):
        return roots
    return sorted(roots, key=lambda key: key.key_id not in in_use)


def held_ids(keys: Sequence[Key]) -> set[str]:
    """Give the canonical ids of those that can sign: on this server, or with a holder who is asked."""
    return {key.key_id for key in keys}


def keys_used(kind: str, repository: Repository, signer: Signer | None, lines: Sequence[str]) -> list[Key]:
    """List the keys that the files of these lines are signed with, and that of a signer who is let in."""
    files = {line.split(" ", 2)[1] for line in lines}
    named = repository.administrative_keys.get("repository", [])
    keys = keys_for(kind, repository, signer)
    roots = [key for key in keys if key.purpose == Key.Purpose.ROOT][:1] if "root" in files else []
    ours = [key for key in keys if key.purpose == Key.Purpose.REPOSITORY and key.key_id in named]
    signs_tags = kind == Kind.ADD_SIGNER or any(name.startswith("targets/") for name in files)
    return [*roots, *(ours if "targets" in files else []), *([signer.key] if signer and signs_tags else [])]


def passphrases_for(
    kind: str, repository: Repository, signer: Signer | None, parameters: Mapping[str, Any], lines: Sequence[str]
) -> list[str]:
    """List what has to be typed for the work, by purpose: the keys of the files that change, and of new keys."""
    if kind == Kind.REPLACE_KEY:
        return _passphrases_replacing(repository, parameters, lines)
    files = {line.split(" ", 2)[1] for line in lines}
    keys = keys_for(kind, repository, signer)
    root = next((key for key in keys if key.purpose == Key.Purpose.ROOT), None)
    ours = [key for key in keys if key.purpose == Key.Purpose.REPOSITORY]
    asks_root = root is not None and root.asks_passphrase
    asks_new = root is not None and not root.unattended  # a key made on the way signs without asking if the root does
    role = parameters.get("role") if kind == Kind.ROTATE and not parameters.get("keys") else None
    signs_tags = any(name.startswith("targets/") for name in files)
    makes_key = role == "targets" or not (repository.administrative_keys or ours)
    asks_repository = asks_new if makes_key else any(key.asks_passphrase for key in ours[-1:])
    wanted = {
        ROOT: "root" in files and asks_root,
        NEW_ROOT: role == "root" and asks_new,
        REPOSITORY: "targets" in files and asks_repository,
        SIGNER: signs_tags and signer is not None and signer.key.asks_passphrase,
    }
    return [purpose for purpose in PURPOSES if wanted[purpose]]


def _passphrases_replacing(repository: Repository, parameters: Mapping[str, Any], lines: Sequence[str]) -> list[str]:
    """List those of the root and repository keys in use, where they sign, and of the key that comes."""
    files = {line.split(" ", 2)[1] for line in lines}
    keys = keys_replacing(repository, parameters)
    new = next((key for key in keys if key.key_id == parameters["new"]), None)
    asks_new = new is not None and new.asks_passphrase
    purpose = new.purpose if new else ""
    named = repository.administrative_keys.get("repository", [])
    root = next((key for key in keys if key.purpose == Key.Purpose.ROOT and key is not new), None)
    ours = [key for key in keys if key.purpose == Key.Purpose.REPOSITORY and key.key_id in named and key is not new]
    signs_targets = "targets" in files and purpose != Key.Purpose.REPOSITORY
    wanted = {
        ROOT: "root" in files and root is not None and root.asks_passphrase,
        NEW_ROOT: purpose == Key.Purpose.ROOT and asks_new,
        REPOSITORY: (signs_targets and any(key.asks_passphrase for key in ours))
        or (purpose == Key.Purpose.REPOSITORY and asks_new),
        SIGNER: purpose == Key.Purpose.SIGNER and asks_new and any(name.startswith("targets/") for name in files),
    }
    return [name for name in PURPOSES if wanted[name]]
