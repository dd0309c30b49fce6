"""Read what was published as other clients will read it, without opening the same bytes twice.

A server that says yes has proved nothing. What counts is what it shows afterwards: its new timestamp, the snapshot, and
each file that was sent, fetched by the hash the snapshot promises and verified from the root trusted before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.pinning import Pinning
from signing.trust.notary.reading import read_as, read_envelope
from signing.trust.notary.transport import Transport
from signing.trust.notary.update import Update
from signing.trust.notary.verification import Opened
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, ListedEnvelope, Targets

LARGEST_BASE_FILE = 1024 * 1024


def read_sent(
    gun: Gun,
    transport: Transport,
    before: TrustedRepository | None,
    update: Update,
    sent: Mapping[str, Envelope],
    *,
    pinning: Pinning,
    now: Callable[[], datetime],
) -> TrustedRepository:
    """Read a repository with a client that knows the root trusted before and the files nobody changed since.

    The timestamp, the snapshot and every file that was sent have to come from the server.

    Raises:
        ServerError: they do not come.
        MetadataError: by name, what does not verify.
    """
    root = (before.envelopes if before else sent)[roles.ROOT]
    unchanged = _unchanged(before, sent) if before else {}
    known = {name: file.envelope.raw for name, file in unchanged.items()}
    return refresh(
        gun,
        transport,
        MemoryCache({**known, roles.ROOT: root.raw}),
        pinning=pinning,
        now=now,
        must_reach_server=roles.ROOT in sent,  # else the snapshot tells of another root
        opened={**unchanged, **_as_signed(update, sent)},
        needed=_needed(sent),
    )


def shows(trusted: TrustedRepository, sent: Mapping[str, Envelope]) -> bool:
    """Tell whether each file that was sent is there, or a later one where somebody published since."""
    return all(name in trusted.envelopes and _follows(trusted.envelopes[name], file) for name, file in sent.items())


def _follows(shown: Envelope, file: Envelope) -> bool:
    return shown.raw == file.raw or int(shown.signed["version"]) > int(file.signed["version"])


def _unchanged(before: TrustedRepository, sent: Mapping[str, Envelope]) -> dict[str, Opened]:
    """Give the targets files of a repository that are not sent anew."""
    files = {roles.TARGETS: before.targets, **before.delegations}
    return {
        name: Opened(before.role(name), before.envelopes[name], file)
        for name, file in files.items()
        if name not in sent
    }


def _as_signed(update: Update, sent: Mapping[str, Envelope]) -> dict[str, Opened]:
    """Give the targets files that were sent: signing them has shown already that enough keys of their roles did."""
    opened = {}
    for name, (role, _) in update.files.items():
        envelope = sent[name] if isinstance(sent[name], ListedEnvelope) else read_envelope(sent[name].raw)
        opened[name] = Opened(role, envelope, read_as(Targets, envelope))
    return opened


def _needed(sent: Mapping[str, Envelope]) -> list[tuple[str, int]]:
    """Name the files to read back with their limits: what was sent by hash, as every client asks for it."""
    base = (roles.TIMESTAMP, roles.SNAPSHOT, *sorted({roles.ROOT} & sent.keys()))
    by_hash = [
        (f"{name}.{hashlib.sha256(file.raw).hexdigest()}.json", len(file.raw))
        for name, file in sent.items()
        if name not in base
    ]
    return [*((f"{name}.json", LARGEST_BASE_FILE) for name in base), *by_hash]
