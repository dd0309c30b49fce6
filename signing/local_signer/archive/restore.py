"""`trustctl archive restore FILE [REPOSITORY...] --server URL`: the newest archived state on another trust server."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, plain_line, say, say_json
from signing.trust.errors import InvalidInput, MetadataError, PublishRejected, TrustError
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History, judge
from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.pins import RootPins
from signing.trust.notary.base_keys import with_keys
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.held_keys import HeldKeys
from signing.trust.notary.root_rules import read_root
from signing.trust.notary.transport import HttpsTransport
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import renewed
from signing.trust.tuf import roles
from signing.trust.tuf.roles import Role

MOST_EMPTY_PUBLISHES = 10_000
FIRST_ROOT = 2


def run(session: Session, arguments: Namespace) -> Exit:
    """Publish each repository; those that fail are named, the others are done.

    Tags, signers and their signatures stay byte for byte. Only the root is new: it names the new server's keys for
    timestamp and snapshot, so its key has to be at hand. The history before stays in the archive alone.
    """
    done: list[dict[str, Any]] = []
    failed = False
    with Archive(arguments.file) as archive:
        records = archive.manifest.repositories
        for gun in [Gun.parse(text) for text in arguments.repositories] or sorted(records):
            try:
                if gun not in records:
                    raise InvalidInput(f"The archive has nothing of {gun}.", next_step="Check the repository's name.")
                read = partial(archive.read, gun)
                trusted = _restored(session, judge(gun, records[gun], read, RootPins()), read)
            except TrustError as error:
                complain_of(error, str(gun))
                failed = True
                continue
            done.append(_outcome(trusted))
            if not arguments.json:
                say(plain_line(f"{gun}: {len(trusted.released())} tags restored, root version {trusted.root.version}."))
    if arguments.json:
        say_json(done)
    return Exit.FAILED if failed else Exit.DONE


def _restored(session: Session, history: History, read: Callable[[StoredFile], bytes]) -> TrustedRepository:
    if history.last is None or not history.is_proven:
        reason = history.problems[0].error.message if history.problems else "It has no state that is proven."
        raise MetadataError(
            f"The archive of {history.gun} is not restored as long as something in it is wrong. {reason}",
            next_step="See `trustctl archive verify`.",
        )
    before, gun = history.last.trusted, history.gun
    transport = session.transport(gun)
    if transport.get(gun, "root.json") is not None:
        raise InvalidInput(
            f"{transport.url} has trust data of {gun} already.", next_step="Restore to a server that has none."
        )
    for role, error in before.left_out.items():
        complain(f"{gun}: {role} is left out: {error.message}")
    for files in _publishes(before, transport, HeldKeys(gun, session.keystore()), _root_roles(history, read)):
        transport.post(gun, files)
    _outrun(transport, before)
    return _read_back(transport, before)


def _root_roles(history: History, read: Callable[[StoredFile], bytes]) -> list[Role]:
    """Give the root role of every root there was, for clients that are several versions behind."""
    files = sorted(file for file in history.record.files if file.role == roles.ROOT)
    return [read_root(read(file)).root.role(roles.ROOT) for file in files]


def _publishes(
    before: TrustedRepository, transport: HttpsTransport, held: HeldKeys, earlier: list[Role]
) -> Iterator[Mapping[str, bytes]]:
    """Give the publishes in their order: notary-server takes no first root above version 2, and then one at a time."""
    root = before.root
    held.require(root.role(roles.ROOT))  # before the server is asked to make keys that nothing would use
    for role in (roles.TIMESTAMP, roles.SNAPSHOT):
        root = with_keys(root, role, [transport.get_key(before.gun, role)])
    root = renewed(root, datetime.now(UTC))
    signers = [role for role in earlier if held.can_sign(role)]
    files = {role: before.envelopes[role].raw for role in (roles.TARGETS, *before.delegations)}
    for version in range(FIRST_ROOT, root.version + 1):
        step = replace(root, version=version)
        signed = held.sign(step, *signers, before.root.role(roles.ROOT), root.role(roles.ROOT))
        yield {roles.ROOT: signed.raw, **files}
        files = {}


def _outrun(transport: HttpsTransport, before: TrustedRepository) -> None:
    """Publish nothing, often enough that timestamp and snapshot get past the versions that clients remember."""
    needed = max(before.timestamp.version, before.snapshot.version)
    if needed > MOST_EMPTY_PUBLISHES:
        complain(f"{before.gun}: clients have to forget what they remember: its timestamp was version {needed}.")
        return
    for _ in range(needed):
        transport.post(before.gun, {})


def _read_back(transport: HttpsTransport, before: TrustedRepository) -> TrustedRepository:
    """Read it as a client does that remembers all of the old server's files."""
    cache = MemoryCache({role: envelope.raw for role, envelope in before.envelopes.items()})
    after = refresh(before.gun, transport, cache, must_reach_server=True)
    if after.released() != before.released() or after.signers() != before.signers():
        raise PublishRejected(f"The trust server took {before.gun}, but does not show the same tags and signers.")
    return after


def _outcome(trusted: TrustedRepository) -> dict[str, Any]:
    return {
        "repository": str(trusted.gun),
        "root": trusted.root.version,
        "tags": len(trusted.released()),
        "signers": [name for name, _ in trusted.signers()],
    }
