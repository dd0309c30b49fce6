"""Publish and prove: read the newest state, sign what changes, send it, start over when somebody was faster, read back.

Nothing here counts as done because a server said so: every publish is read back by a fresh client that starts from the
root trusted before. It takes from the server all that was sent, and the snapshot and the timestamp that go with it.
Reference 4.6.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from signing.trust.errors import (
    ExpiredMetadata,
    MalformedMetadata,
    PublishRejected,
    VersionConflict,
)
from signing.trust.keystore.base import KeyStore
from signing.trust.notary.building import built
from signing.trust.notary.cache import LateCache, TrustCache
from signing.trust.notary.changelist import Change
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.differences import differences, warnings
from signing.trust.notary.draft import Draft
from signing.trust.notary.gun import Gun
from signing.trust.notary.held_keys import HeldKeys
from signing.trust.notary.pinning import Pinning
from signing.trust.notary.reading_back import read_sent, shows
from signing.trust.notary.transport import Transport
from signing.trust.notary.update import Update
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Targets

MOST_ATTEMPTS = 5
LARGEST_CLAIM = 1_000_000
"""The highest version that is taken over from a file nobody vouches for: a lying server must not use up the numbers."""

LARGEST_FILE = 64 * 1024 * 1024

Plan = Callable[[TrustedRepository], list[Change]]
Proof = Callable[[TrustedRepository], bool]
Build = Callable[[TrustedRepository], Update]
Guard = Callable[[TrustedRepository | None, Update, bool], None]
"""Asked with the state before and what is about to be signed, and again, with True, what was read back; it raises."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish changed, by role and new version, and the repository as a fresh client then read it.

    `versions` is empty where everything asked for was true already. `changes` tells in sentences what is true now and
    was not before, `warnings` what will soon stop holding.
    """

    versions: Mapping[str, int]
    trusted: TrustedRepository
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def let_pass(_before: TrustedRepository | None, _update: Update, _is_there: bool) -> None:
    """Refuse nothing."""


def nothing_more(_: TrustedRepository) -> bool:
    """Prove nothing beyond that the files sent are there."""
    return True


class Publisher:
    """One GUN on one trust server, with what is remembered of it and the keys that may sign for it."""

    def __init__(
        self,
        gun: Gun,
        transport: Transport,
        cache: TrustCache,
        keystore: KeyStore,
        pinning: Pinning,
        now: Callable[[], datetime],
        guard: Guard = let_pass,
    ) -> None:
        self.gun = gun
        self.transport = transport
        self.cache = cache
        self.keystore = keystore
        self.held = HeldKeys(gun, keystore)
        self.now = now
        self.guard = guard
        self._pinning = pinning
        self._stored: dict[str, int] = {}

    def refresh(self, *, even_expired: Collection[str] = ()) -> TrustedRepository:
        """Fetch and verify the newest state; the server has to answer.

        The roles `even_expired`, of `root` and `targets`, may have expired: then all is verified as of their last
        moment, which serves to sign them anew and for nothing else.
        """
        return self._refreshed(self.cache, even_expired)

    def _refreshed(self, cache: TrustCache, even_expired: Collection[str]) -> TrustedRepository:
        at = self.now
        while True:
            try:
                return refresh(self.gun, self.transport, cache, pinning=self._pinning, now=at, must_reach_server=True)
            except ExpiredMetadata as error:
                expires = error.detail.get("expires")
                if error.detail.get("role") not in even_expired or not isinstance(expires, datetime) or at() == expires:
                    raise
                at = _standing_still(expires)

    def publish(self, plan: Plan, proof: Proof = nothing_more, *, force: bool = False) -> Published:
        """Make changes true. A root within six months of its end is signed anew by the way if its key is at hand.

        Raises:
            CannotSign: too few keys of a role are at hand.
            NotConfirmed: tags would stop verifying, or a role could not be signed any more, and `force` is not set.
            PublishRejected: the server refused the update, or does not show it.
            VersionConflict: others published in between every time.
        """

        def build(before: TrustedRepository) -> Update:
            return built(self.draft(before), before, plan(before), self.held, self.now(), force=force)

        return self.publish_update(build, proof)

    def publish_update(self, build: Build, proof: Proof, *, even_expired: Collection[str] = ()) -> Published:
        """Publish what `build` makes of the newest state, built anew each time somebody else was faster."""
        cache = LateCache(self.cache)
        try:
            return self._published(cache, build, proof, even_expired)
        finally:
            cache.write()

    def _published(self, cache: TrustCache, build: Build, proof: Proof, even_expired: Collection[str]) -> Published:
        for attempt in range(MOST_ATTEMPTS):
            before = self._refreshed(cache, even_expired)
            update = build(before)
            if update.is_empty:
                return Published({}, before, warnings=warnings(before, self.now()))
            self.guard(before, update, False)
            files = update.signed(before, self.held, self.now())
            try:
                self.send(files)
            except VersionConflict:
                if attempt == MOST_ATTEMPTS - 1:
                    raise
                self._learn_stored_versions(update)
                time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311  spreads publishers, guards nothing
                continue
            return self.proved(cache, before, update, files, proof)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def proved(
        self,
        cache: TrustCache,
        before: TrustedRepository | None,
        update: Update,
        sent: Mapping[str, Envelope],
        proof: Proof = nothing_more,
    ) -> Published:
        """Read back what was sent, keep it, and tell what it changed.

        Raises:
            PublishRejected: it is not what was sent, or does not say what was asked for.
        """
        after = self.read_back(before, update, sent, proof)
        cache.store_all(after.raw_files())
        self.guard_what_is_there(before, update, after)
        return Published(update.versions, after, differences(before, after), warnings(after, self.now()))

    def send(self, files: Mapping[str, Envelope]) -> None:
        """Publish signed files, all or none."""
        self.transport.post(self.gun, {name: file.raw for name, file in files.items()})

    def draft(self, before: TrustedRepository) -> Draft:
        """Start a draft of the next state."""
        files = {roles.TARGETS: before.targets, **before.delegations}
        aside = {
            name: _read(data, is_signed=isinstance(before.left_out[name], ExpiredMetadata))
            for name, data in before.left_out_files.items()
        }
        return Draft(files, self.now(), set_aside=aside, stored=self._stored)

    def read_back(
        self, before: TrustedRepository | None, update: Update, sent: Mapping[str, Envelope], proof: Proof
    ) -> TrustedRepository:
        """Read what was published, as `read_sent` does.

        Raises:
            PublishRejected: it is not what was sent, or does not say what was asked for.
        """
        trusted = read_sent(self.gun, self.transport, before, update, sent, pinning=self._pinning, now=self.now)
        if not shows(trusted, sent) or not proof(trusted):
            raise PublishRejected(
                f"The trust server took the update of {self.gun}, but does not show it.",
                next_step="Check the repository now; if the change is missing, try again.",
            )
        return trusted

    def guard_what_is_there(self, before: TrustedRepository | None, update: Update, after: TrustedRepository) -> None:
        """Ask the guard about what the server shows, unless somebody has published since."""
        shown = {roles.TARGETS: after.targets, **after.delegations}
        files = {name: (role, shown[name]) for name, (role, _) in update.files.items() if name in shown}
        there = Update(files, after.root if update.root else None)
        if there.versions == update.versions:
            self.guard(before, there, True)

    def _learn_stored_versions(self, update: Update) -> None:
        """Ask for files nobody refers to: those of a delegation that was removed and added again still count."""
        for name, (_, file) in update.files.items():
            if file.version == 1:
                data = self.transport.get(self.gun, f"{name}.json", LARGEST_FILE)
                self._stored[name] = _claimed_version(data)


def _standing_still(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def _read(data: bytes, *, is_signed: bool) -> Targets:
    """Read a file that does not count now; whether its content may be used is for the plan to say."""
    claimed = _claimed_version(data)
    try:
        file = Targets.from_signed(Envelope.parse(data).signed)
    except MalformedMetadata:
        return Targets(version=claimed, expires=datetime.min)
    return file if is_signed else replace(file, version=claimed)


def _claimed_version(data: bytes | None) -> int:
    """Read a version nobody vouches for; it only says where to go on, and a wrong one costs a refused publish."""
    try:
        version = orjson.loads(data or b"")["signed"]["version"]
    except (ValueError, TypeError, KeyError):
        return 0
    return version if isinstance(version, int) and 0 < version <= LARGEST_CLAIM else 0
