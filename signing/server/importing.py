"""Copy repositories from a running notary-server, byte for byte, and go on where it stops.

The files alone make a mirror: clients read it like the original, until the copied timestamp expires, and nobody can
publish, because the root names timestamp and snapshot keys that only the original's signer holds. Two things end that:
the signer's database, from which the keys come along and no client notices anything; or the root key, which names this
server's keys in a new root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction
from django.utils import timezone

from signing.server import forms, reading, storage
from signing.server.models import Change, Collection, MetadataFile, new_state
from signing.server.online_keys import OnlineKeys
from signing.trust.errors import InvalidInput, NoTrustData
from signing.trust.evidence.collect import Progress, walk
from signing.trust.evidence.manifest import StoredFile
from signing.trust.evidence.shelf import describe
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.server_made import SNAPSHOT_MARGIN, TIMESTAMP_MARGIN
from signing.trust.notary.transport import Transport
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.times import parse_time

ROOT_LIFETIME = timedelta(days=3650)
OF_THE_SERVER = {roles.SNAPSHOT: SNAPSHOT_MARGIN, roles.TIMESTAMP: TIMESTAMP_MARGIN}


class Keys(Protocol):
    """Where the original's private keys can be had."""

    def open(self, gun: str, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give those of these keys that are there."""


class NoKeys:
    """Nothing but the files is to be had."""

    def open(self, gun: str, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        """Give none."""
        return []


@dataclass(frozen=True, slots=True)
class Imported:
    """What came: new versions, and for which roles this server can sign from now on."""

    gun: str
    versions: int
    signs: tuple[str, ...]

    @property
    def is_mirror(self) -> bool:
        """Tell whether nobody can publish here yet."""
        return roles.TIMESTAMP not in self.signs


def import_repository(
    gun: str, source: Transport, keys: Keys, progress: Progress = lambda role, done, total: None
) -> Imported:
    """Copy what is not here yet of one repository, and the keys that its root names where they can be had.

    `progress` hears of each role how many versions came and how many there may be.

    Raises:
        TrustError: it does not verify there, or other files lie here under the same versions.
    """
    refresh(Gun.parse(gun), source, MemoryCache())
    shelf = _Basket()
    walk(Gun.parse(gun), source, shelf, progress)
    root = Root.from_signed(Envelope.parse(shelf.newest(roles.ROOT)).signed)
    signs = []
    with transaction.atomic():
        for role in OF_THE_SERVER:
            found = keys.open(gun, role, root.roles[role].keyids)
            online = OnlineKeys(gun)
            for key in found:
                online.add(role, key, timezone.now())
            if online.open(role, root.roles[role].keyids):
                signs.append(role)
        count = _store(gun, shelf, signs)
    return Imported(gun, count, tuple(signs))


def take_over(gun: str, root_key: PrivateKey) -> None:
    """Name this server's keys for timestamp and snapshot in the next root, signed by the root key.

    Notary's tools cannot do this: they rotate one key at a time, and then the other one's signature is missing.

    Raises:
        InvalidInput: the root of the repository is another key's.
        TrustError: as a publish.
    """
    stored = reading.current(gun, roles.ROOT)
    if stored is None:
        raise NoTrustData(f"There is no trust data for {gun} here.", gun=gun)
    root = Root.from_signed(Envelope.parse(stored.data).signed)
    certificates = [keyid for keyid, key in root.role(roles.ROOT).keys.items() if key.canonical_id == root_key.key_id]
    if not certificates:
        raise InvalidInput(f"This is not the root key of {gun}.", next_step="Name the file of the key that is.")
    now, online = timezone.now(), OnlineKeys(gun)
    ours = {role: online.public(role, root.roles[role].keyids, now) for role in OF_THE_SERVER}
    replaced = {role: replace(root.roles[role], keyids=(key.key_id,), threshold=1) for role, key in ours.items()}
    following = replace(
        root,
        version=root.version + 1,
        expires=now + ROOT_LIFETIME,
        keys={**root.keys, **{key.key_id: key for key in ours.values()}},
        roles={**root.roles, **replaced},
    )
    payload = Envelope.build(following.to_signed(), ()).payload
    signatures = tuple(root_key.signature(keyid, payload) for keyid in certificates)
    storage.publish(gun, {roles.ROOT: Envelope.build(following.to_signed(), signatures).raw})


class _Basket:
    """The files of one repository in memory, one for each version of a role."""

    def __init__(self) -> None:
        self._data: dict[StoredFile, bytes] = {}
        self.versions: dict[tuple[str, int], StoredFile] = {}

    def files(self) -> Iterable[StoredFile]:
        """List what is here."""
        return self._data.keys()

    def read(self, file: StoredFile) -> bytes:
        """Give one file."""
        return self._data[file]

    def put(self, role: str, data: bytes) -> StoredFile:
        """Keep one file."""
        file = describe(role, data)
        before = self.versions.setdefault((role, file.version), file)
        if before != file:
            raise InvalidInput(
                f"The server gives two different files as {role} {file.version}.",
                next_step="Somebody publishes or deletes there right now, or its database is damaged. Try again.",
            )
        self._data[file] = data
        return file

    def newest(self, role: str) -> bytes:
        """Give a role's newest file."""
        return self._data[max((f for f in self._data if f.role == role), key=lambda file: file.version)]


def _store(gun: str, basket: _Basket, signs: Sequence[str]) -> int:
    now = timezone.now()
    here = {(row.role, row.version): row.sha256 for row in MetadataFile.objects.filter(gun=gun).only(*_IDENTITY)}
    for place, file in basket.versions.items():
        if here.get(place, file.sha256) != file.sha256:
            raise InvalidInput(
                f"{file.role} {file.version} of {gun} is another file here: somebody published on both servers.",
                next_step="Delete the repository on one of the two first.",
            )
    renewals = {role: _renew_at(role, basket.newest(role)) for role in signs}
    rows = [_row(gun, basket, file, now) for place, file in basket.versions.items() if place not in here]
    MetadataFile.objects.bulk_create(rows, batch_size=200)
    for role, moment in renewals.items():
        newest = describe(role, basket.newest(role))
        MetadataFile.objects.filter(gun=gun, role=role, version=newest.version).update(renew_at=moment)
    renew_at = min(renewals.values(), default=None)
    Collection.objects.update_or_create(gun=gun, defaults={"state": new_state(), "renew_at": renew_at})
    if rows:
        timestamp = describe(roles.TIMESTAMP, basket.newest(roles.TIMESTAMP))
        change = {"version": timestamp.version, "sha256": timestamp.sha256, "category": Change.Category.UPDATE}
        Change.objects.create(gun=gun, created_at=now, **change)
    return len(rows)


_IDENTITY = ("role", "version", "sha256")


def _row(gun: str, basket: _Basket, file: StoredFile, now: datetime) -> MetadataFile:
    data = basket.read(file)
    written = forms.write(data, file.version, None)
    return MetadataFile(
        gun=gun,
        role=file.role,
        version=file.version,
        sha256=hashlib.sha256(data).hexdigest(),
        form=written.form,
        base_version=written.base_version,
        data=written.data,
        created_at=now,
    )


def _renew_at(role: str, data: bytes) -> datetime:
    return parse_time(Envelope.parse(data).signed["expires"]) - OF_THE_SERVER[role]
