"""`trustctl key rotate REPOSITORY ROLE` (reference 6, "Rotation"), and the same for a signer's keys."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from signing.local_signer.changing import for_each, with_consent
from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key
from signing.local_signer.public_keys import read_public_keys
from signing.local_signer.reporting import Report
from signing.local_signer.session import Session
from signing.trust.errors import InvalidInput
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.encrypted_files import FileKeyStore
from signing.trust.notary.delegations import find_delegation, full_key_ids, signer_role
from signing.trust.notary.gun import Gun
from signing.trust.notary.publishing import Published
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.roles import BASE_ROLES, ROOT, SNAPSHOT, TARGETS

ROOT_QUESTION = (
    "This replaces the root of trust; clients follow, for the old key signs the new one. "
    "Keep the old key until then, and a copy of the new one. Are you sure?"
)


def run(session: Session, arguments: Namespace) -> Exit:
    """Replace the keys of a base role or of a signer in one publish."""
    report = Report(as_json=arguments.json)
    rotate = _rotate_base_role if arguments.role in BASE_ROLES else _rotate_signer
    for_each(report, [Gun.parse(arguments.repository)], lambda gun: rotate(session, arguments, report, gun))
    return report.finish()


def _rotate_base_role(session: Session, arguments: Namespace, report: Report, gun: Gun) -> None:
    if arguments.old:
        raise InvalidInput(f"--old is for signers; {arguments.role} gets new keys for all of its old ones.")
    if arguments.role == ROOT:
        session.require_consent(ROOT_QUESTION, given=arguments.yes)
    store = session.keystore()
    keys = [_private_key(store, text) for text in arguments.key]
    with session.repository(gun, store) as repository:
        published = repository.rotate(arguments.role, keys, to_server=arguments.to_server)
    deleted = _delete_old(store, arguments.role, gun, published)
    report.done(gun, published, role=arguments.role, deleted_keys=deleted)
    for key_id in deleted:
        report.say(f"The old private key {key_id[:12]}, which signs nothing any more, was deleted here.")
    if arguments.role == ROOT:
        report.say("Keep the old root key until every client has read the repository once; then it is of no use.")


def _private_key(store: FileKeyStore, text: str) -> PrivateKey:
    return store.open(choose_key(store, text).key_id)


def _delete_old(store: FileKeyStore, role: str, gun: Gun, published: Published) -> list[str]:
    """Delete private keys of this GUN that stand for nothing any more, as notary does; a root key never."""
    if role not in (TARGETS, SNAPSHOT):
        return []
    current = {key.canonical_id for key in published.trusted.root.role(role).keys.values()}
    old = [info.key_id for info in store.list() if (info.role, info.gun) == (role, gun) and info.key_id not in current]
    for key_id in old:
        store.remove(key_id)
    return old


def _rotate_signer(session: Session, arguments: Namespace, report: Report, gun: Gun) -> None:
    name = arguments.role.removeprefix("targets/")
    role = signer_role(name)
    if arguments.to_server:
        raise InvalidInput("A trust server keeps no signer's key.", next_step="Leave --to-server out.")
    file, item = find_delegation(session.refresh(gun), role)
    old = full_key_ids(file, [item], arguments.old)
    store = session.keystore()
    with session.repository(gun, store) as repository:
        repository.require_signable("", into=[TARGETS])  # before a key is made that nothing would use
        keys = [_public_key(store, text) for text in arguments.key] or [_new_key(store, name)]
        published = with_consent(
            session, arguments, lambda force: repository.replace_signer_keys(name, keys, old, force=force)
        )
    report.done(gun, published, role=role, key_ids=[key.canonical_id for key in keys])


def _public_key(store: FileKeyStore, text: str) -> PublicKey:
    """Take a public key's file, or a key of the trust folder."""
    path = Path(text)
    return read_public_keys([path])[0] if path.is_file() else store.open(choose_key(store, text).key_id).public


def _new_key(store: FileKeyStore, name: str) -> PublicKey:
    key = PrivateKey.generate()
    store.add(key, name)
    return key.public
