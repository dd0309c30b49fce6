"""Publish what was prepared earlier and holders have signed since: these very bytes, on the state they were made for.

Whoever prepared them knows nothing of the time between; so everything is looked at again, as if it came from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from signing.trust.errors import NoTrustData, VersionConflict
from signing.trust.notary.cache import LateCache
from signing.trust.notary.differences import warnings
from signing.trust.notary.founding import require_never_trusted
from signing.trust.notary.prepared import PreparedFile
from signing.trust.notary.publishing import Published, Publisher
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Root, Targets
from signing.trust.tuf.roles import Role


def publish_prepared(publisher: Publisher, files: Sequence[PreparedFile]) -> Published:
    """Publish all files of a prepared update, or none; true already where an attempt before had stored them.

    Raises:
        VersionConflict: the repository is not in the state they were made for any more; prepare them anew.
        KeyStoreError: a signature among them is not one of these bytes.
        UnmetThreshold: too few keys signed one of them.
        PublishRejected: the server refused the update, or does not show it.
    """
    cache = LateCache(publisher.cache)
    try:
        return _published(publisher, cache, files)
    finally:
        cache.write()


def _published(publisher: Publisher, cache: LateCache, files: Sequence[PreparedFile]) -> Published:
    before = _before(publisher, files)
    update = update_of(before, files)
    sent = {file.role: file.envelope for file in files}
    if before is not None and _is_there(before, sent):
        publisher.guard_what_is_there(before, update, before)
        return Published(update.versions, before, warnings=warnings(before, publisher.now()))
    _require_same_state(publisher, before, files)
    publisher.guard(before, update, False)
    for file in files:
        _require_signed(before, update, file)
    publisher.send(sent)
    return publisher.proved(cache, before, update, sent)


def update_of(before: TrustedRepository | None, files: Sequence[PreparedFile]) -> Update:
    """Give prepared files as the update of a state: each with the role that has to sign it there."""
    contents = {file.role: file.content for file in files}
    found = contents.get(roles.ROOT)
    root = found if isinstance(found, Root) else None
    targets = {name: file for name, file in contents.items() if isinstance(file, Targets)}
    return Update({name: (_role_of(name, before, root, targets), file) for name, file in targets.items()}, root)


def _role_of(name: str, before: TrustedRepository | None, root: Root | None, made: Mapping[str, Targets]) -> Role:
    """Give a role as the update leaves it; one that nobody delegates to has no keys."""
    if name == roles.TARGETS:
        base = root or (before.root if before else None)
        return base.role(name) if base else Role(name, {}, 1)
    parent = roles.parent_of(name)
    was = {} if before is None else {roles.TARGETS: before.targets, **before.delegations}
    file = made.get(parent) or was.get(parent)
    return (file.role(name) if file else None) or Role(name, {}, 1)


def _before(publisher: Publisher, files: Sequence[PreparedFile]) -> TrustedRepository | None:
    """Give the newest state; what is about to be signed anew may have expired meanwhile."""
    anew = [file.role for file in files if file.role in (roles.ROOT, roles.TARGETS)]
    try:
        return publisher.refresh(even_expired=anew)
    except NoTrustData:
        require_never_trusted(publisher)
        return None


def _is_there(before: TrustedRepository, sent: Mapping[str, Envelope]) -> bool:
    """Tell whether the server shows these very files: a worker that was lost had finished."""
    shown = before.envelopes
    return all(name in shown and shown[name].payload == file.payload for name, file in sent.items())


def _require_same_state(publisher: Publisher, before: TrustedRepository | None, files: Sequence[PreparedFile]) -> None:
    for file in files:
        is_next = file.version == _version_before(before, file) + 1
        if not is_next or file.content.is_expired(publisher.now()):
            raise VersionConflict(
                f"{publisher.gun} has changed since version {file.version} of {file.role} was prepared.",
                next_step="It is prepared anew, and its holders are asked again.",
            )


def _version_before(before: TrustedRepository | None, file: PreparedFile) -> int:
    """Give the version a prepared file follows; a delegation's first file follows whatever was there before it."""
    if before is None:
        return file.version - 1
    known: dict[str, Root | Targets] = {roles.ROOT: before.root, roles.TARGETS: before.targets, **before.delegations}
    found = known.get(file.role)
    return file.version - 1 if found is None else found.version


def _require_signed(before: TrustedRepository | None, update: Update, file: PreparedFile) -> None:
    by = signing_roles(before, update, file.role)
    keys: dict[str, PublicKey] = {keyid: key for role in by for keyid, key in role.keys.items()}
    file.require_verified(keys)
    for role in by:
        role.require_threshold(file.envelope)


def signing_roles(before: TrustedRepository | None, update: Update, name: str) -> list[Role]:
    """List the roles that have to sign a file: a root needs the keys of the one before it too."""
    if name != roles.ROOT:
        return [update.files[name][0]]
    roots = [before.root if before else None, update.root]
    return [root.role(roles.ROOT) for root in roots if root is not None]
