"""Write to a repository: initialise it, add signers, sign tags; publish, then prove it by reading back.

Nothing here counts as done because a server said so: every publish is read back by a fresh client that starts from the
trusted root alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from signing.trust.errors import CannotSign, InvalidInput, NoTrustData, PublishRejected, VersionConflict
from signing.trust.keystore.base import KeyStore, PrivateKey, opened_once
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.cache import MemoryCache, TrustCache
from signing.trust.notary.changelist import Change
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.draft import TARGETS_LIFETIME, Draft, first_targets, keys_by_id
from signing.trust.notary.gun import Gun
from signing.trust.notary.pinning import TOFU, Pinning
from signing.trust.notary.transport import Transport
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, FileMeta, RoleKeys, Root, Snapshot, Target
from signing.trust.tuf.roles import Role

ROOT_LIFETIME = timedelta(days=3650)
SNAPSHOT_LIFETIME = timedelta(days=1095)
MOST_ATTEMPTS = 5
EVERYTHING = ("",)
"""The path prefix that matches every tag; docker gives it to each delegation."""

Plan = Callable[[TrustedRepository], list[Change]]
Proof = Callable[[TrustedRepository], bool]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish changed, by role and new version, and the repository as a fresh client then read it.

    `versions` is empty where everything asked for was true already.
    """

    versions: Mapping[str, int]
    trusted: TrustedRepository


class Repository:
    """One GUN on one trust server, with the keys that may sign for it."""

    def __init__(
        self,
        gun: Gun,
        transport: Transport,
        cache: TrustCache,
        keystore: KeyStore,
        *,
        pinning: Pinning = TOFU,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.gun = gun
        self._transport = transport
        self._cache = cache
        self._keystore = keystore
        self._pinning = pinning
        self._now = now
        self._open = opened_once(keystore)

    def refresh(self) -> TrustedRepository:
        """Fetch and verify the newest state; the server has to answer.

        Raises:
            NoTrustData: the repository was never initialised.
            TrustError: whatever does not verify, by name.
        """
        return refresh(
            self.gun, self._transport, self._cache, pinning=self._pinning, now=self._now, must_reach_server=True
        )

    def add_signer(self, name: str, keys: Sequence[PublicKey]) -> Published:
        """Let `keys` sign as `name`, initialising the repository where there is no trust data yet.

        Makes or extends `targets/NAME` and `targets/releases` as `docker trust signer add` does. A new repository's
        key is kept in the store before anything is sent; its root key is the first one in the store, or a new one.

        Raises:
            InvalidInput: a name the format forbids, or no key.
            CannotSign: the repository key is not in the store, so somebody else initialised it.
        """
        role = f"targets/{roles.check_signer_name(name)}"
        if not keys:
            raise InvalidInput(f"The signer {name} needs a public key.", next_step="Give at least one public key.")
        changes = [Change.add_delegation(item, keys, EVERYTHING) for item in (role, roles.RELEASES)]

        def proof(trusted: TrustedRepository) -> bool:
            listed = dict(trusted.signers()).get(name, [])
            return all(key.canonical_id in listed for key in keys)

        try:
            trusted = self.refresh()
        except NoTrustData:
            return self._initialise(changes, proof)
        return self._publish(lambda _: changes, proof, trusted)

    def sign(self, targets: Sequence[Target]) -> Published:
        """Sign tags, many in one publish, in every role whose key is in the store (reference: docker trust sign).

        With delegations these are `targets/releases` and the signer's own; without any it is `targets`.

        Raises:
            NoTrustData: the repository was never initialised.
            CannotSign: no key in the store may sign.
        """
        if not targets:
            raise InvalidInput("There is no tag to sign.", next_step="Name at least one tag.")

        def plan(trusted: TrustedRepository) -> list[Change]:
            signable = {target.name: self._roles_for(trusted, target) for target in targets}
            return [Change.set_target(role, target) for target in targets for role in signable[target.name]]

        def proof(trusted: TrustedRepository) -> bool:
            released = {(tag.tag, tag.digest_hex) for tag in trusted.released()}
            return all((target.name, target.digest) in released for target in targets)

        return self._publish(plan, proof)

    def _roles_for(self, trusted: TrustedRepository, target: Target) -> list[str]:
        if not trusted.targets.delegations:
            self._require_holder(trusted.root.role(roles.TARGETS))
            return [roles.TARGETS]
        found = [
            item.name
            for item in trusted.targets.delegations
            if any(target.name.startswith(path) for path in item.paths)
            and self._held(Role(item.name, {keyid: trusted.targets.keys[keyid] for keyid in item.keyids}, 1))
        ]
        if roles.RELEASES not in found:
            raise CannotSign(
                f"None of the keys at hand may sign {target.name} of {self.gun}: no signer there has them.",
                gun=str(self.gun),
            )
        for role in found:
            if role in trusted.left_out:  # signing over it would restart its versions; the server refuses that
                raise trusted.left_out[role]
        return found

    def _publish(self, plan: Plan, proof: Proof, trusted: TrustedRepository | None = None) -> Published:
        """Apply the plan to the newest state, sign and send it; start over when somebody published in between."""
        for attempt in range(MOST_ATTEMPTS):
            trusted = trusted or self.refresh()
            draft = Draft({roles.TARGETS: trusted.targets, **trusted.delegations}, self._now())
            for change in plan(trusted):
                draft.apply(change)
            if not draft.changed:
                return Published({}, trusted)
            try:
                self._transport.post(self.gun, self._signed_files(draft, trusted))
            except VersionConflict:
                if attempt == MOST_ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311  spreads publishers, guards nothing
                trusted = None
                continue
            root = trusted.envelopes[roles.ROOT].raw
            return Published(self._versions(draft), self._read_back(root, proof))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _signed_files(self, draft: Draft, trusted: TrustedRepository) -> dict[str, bytes]:
        files = {}
        for name, file in draft.changed.items():
            role = trusted.root.role(name) if name == roles.TARGETS else draft.parent(name).role(name)
            if role is None:
                raise CannotSign(f"{self.gun} has no role {name}.")
            files[name] = self._signed(role, file.to_signed())
        snapshot_role = trusted.root.role(roles.SNAPSHOT)
        if self._held(snapshot_role):  # `notary init` keeps this key with the client; docker leaves it to the server
            files[roles.SNAPSHOT] = self._signed(snapshot_role, self._next_snapshot(trusted, files).to_signed())
        return files

    def _next_snapshot(self, trusted: TrustedRepository, files: Mapping[str, bytes]) -> Snapshot:
        listed = {roles.ROOT, roles.TARGETS, *(item.name for item in trusted.targets.delegations)}
        kept = {name: meta for name, meta in trusted.snapshot.meta.items() if name in listed or name.count("/") > 1}
        meta = {**kept, **{name: FileMeta.of(data) for name, data in files.items()}}
        return Snapshot(version=trusted.snapshot.version + 1, expires=self._now() + SNAPSHOT_LIFETIME, meta=meta)

    def _initialise(self, changes: Sequence[Change], proof: Proof) -> Published:
        """Create the trust data of a repository that has none (reference: worked recipe, server-held snapshot)."""
        self._require_never_trusted()
        server_keys = {name: self._transport.get_key(self.gun, name) for name in (roles.TIMESTAMP, roles.SNAPSHOT)}
        certificate = root_certificate(self._root_key(), str(self.gun), self._now())
        role_keys = {roles.ROOT: certificate, roles.TARGETS: self._targets_key().public, **server_keys}
        root = Root(
            version=1,
            expires=self._now() + ROOT_LIFETIME,
            keys=keys_by_id(*role_keys.values()),
            roles={name: RoleKeys((key.key_id,), 1) for name, key in role_keys.items()},
        )
        draft = Draft({roles.TARGETS: first_targets(self._now() + TARGETS_LIFETIME)}, self._now())
        for change in changes:
            draft.apply(change)
        targets = draft.changed[roles.TARGETS]
        files = {
            roles.ROOT: self._signed(root.role(roles.ROOT), root.to_signed()),
            roles.TARGETS: self._signed(root.role(roles.TARGETS), targets.to_signed()),
        }
        self._transport.post(self.gun, files)
        return Published({roles.ROOT: 1, **self._versions(draft)}, self._read_back(files[roles.ROOT], proof))

    def _require_never_trusted(self) -> None:
        """Do not make a second root of trust over one that consumers may remember."""
        if self._cache.load(roles.ROOT) is not None:
            raise NoTrustData(
                f"{self.gun} had trust data before, but its server has none now.",
                next_step="Ask the trust server's administrator what became of it; consumers still trust the old root.",
            )

    def _root_key(self) -> PrivateKey:
        known = sorted(info.key_id for info in self._keystore.list() if info.role == roles.ROOT)
        return self._open(known[0]) if known else self._new_key(roles.ROOT, None)

    def _targets_key(self) -> PrivateKey:
        """Reuse the key of an attempt that failed half-way, so that no orphans pile up."""
        infos = self._keystore.list()
        known = sorted(info.key_id for info in infos if (info.role, info.gun) == (roles.TARGETS, str(self.gun)))
        return self._open(known[0]) if known else self._new_key(roles.TARGETS, str(self.gun))

    def _new_key(self, role: str, gun: str | None) -> PrivateKey:
        key = PrivateKey.generate()
        self._keystore.add(key, role, gun)
        return key

    def _held(self, role: Role) -> list[tuple[str, PublicKey]]:
        return [(keyid, key) for keyid, key in role.keys.items() if self._keystore.holds(key.canonical_id)]

    def _require_holder(self, role: Role) -> list[tuple[str, PublicKey]]:
        held = self._held(role)
        if len({key.canonical_id for _, key in held}) < role.threshold:
            wanted = ", ".join(key.canonical_id[:12] for key in role.keys.values())
            raise CannotSign(
                f"The key of {role.name} of {self.gun} is not at hand: {wanted or 'it has none'}.",
                next_step="Ask whoever initialised the repository: the holder of that key can do this.",
                role=role.name,
            )
        return held

    def _signed(self, role: Role, signed: dict[str, object]) -> bytes:
        draft = Envelope.build(signed, ())
        held = self._require_holder(role)
        signatures = tuple(self._open(key.canonical_id).signature(keyid, draft.payload) for keyid, key in held)
        envelope = Envelope.build(signed, signatures)
        role.require_threshold(envelope)  # a token or a mixed-up file may sign with another key than it says
        return envelope.raw

    @staticmethod
    def _versions(draft: Draft) -> dict[str, int]:
        return {name: file.version for name, file in draft.changed.items()}

    def _read_back(self, root: bytes, proof: Proof) -> TrustedRepository:
        """Read what was published with a client that knows nothing but the root."""
        fresh = MemoryCache()
        fresh.store(roles.ROOT, root)
        trusted = refresh(
            self.gun, self._transport, fresh, pinning=self._pinning, now=self._now, must_reach_server=True
        )
        if not proof(trusted):
            raise PublishRejected(
                f"The trust server took the update of {self.gun}, but does not show it.",
                next_step="Check the repository now; if the change is missing, try again.",
            )
        for name, envelope in trusted.envelopes.items():
            self._cache.store(name, envelope.raw)
        return trusted
