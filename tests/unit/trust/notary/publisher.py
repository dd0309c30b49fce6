"""A repository owner who signs whatever a test wants to send, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary import acceptance
from signing.trust.notary.acceptance import FilesInMemory
from signing.trust.notary.server_made import AcceptedFile
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Delegation, Envelope, FileMeta, RoleKeys, Root, Snapshot, Target, Targets

GUN = "127.0.0.1:5000/team/app"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EVERYTHING = ("",)


def sign(signed: dict[str, Any], *signers: tuple[PrivateKey, PublicKey] | PrivateKey) -> bytes:
    """Sign with each key, as the metadata key beside it where that is a certificate."""
    pairs = [(item, item.public) if isinstance(item, PrivateKey) else item for item in signers]
    payload = Envelope.build(signed, ()).payload
    return Envelope.build(signed, tuple(key.signature(public.key_id, payload) for key, public in pairs)).raw


def tag(name: str, digest: str = "ab" * 32) -> dict[str, Target]:
    return {name: Target.from_digest(name, digest, 523)}


@dataclass
class Publisher:
    """The keys of one repository and the files made with them; versions are those of a first publish."""

    gun: str = GUN
    now: datetime = NOW
    snapshot: PublicKey | None = None
    timestamp: PublicKey | None = None
    root_key: PrivateKey = field(default_factory=PrivateKey.generate)
    targets_key: PrivateKey = field(default_factory=PrivateKey.generate)
    snapshot_key: PrivateKey = field(default_factory=PrivateKey.generate)
    alice: PrivateKey = field(default_factory=PrivateKey.generate)
    bob: PrivateKey = field(default_factory=PrivateKey.generate)

    def __post_init__(self) -> None:
        self.certificate = root_certificate(self.root_key, self.gun, self.now)

    def base_keys(self) -> dict[str, PublicKey]:
        assert self.timestamp is not None
        return {
            "root": self.certificate,
            "targets": self.targets_key.public,
            "snapshot": self.snapshot or self.snapshot_key.public,
            "timestamp": self.timestamp,
        }

    def root_metadata(self, version: int = 1, **base_keys: PublicKey) -> Root:
        keys = self.base_keys() | base_keys
        return Root(
            version=version,
            expires=self.now + 3650 * DAY,
            keys={key.key_id: key for key in keys.values()},
            roles={name: RoleKeys((key.key_id,), 1) for name, key in keys.items()},
        )

    def root(self, version: int = 1, **base_keys: PublicKey) -> bytes:
        return self.signed_root(self.root_metadata(version, **base_keys))

    def signed_root(self, root: Root) -> bytes:
        return sign(root.to_signed(), (self.root_key, self.certificate))

    def targets_metadata(self, version: int = 2, **changes: Any) -> Targets:
        roles = {"targets/alice": [self.alice], "targets/releases": [self.alice, self.bob]}
        plain = Targets(
            version=version,
            expires=self.now + 1000 * DAY,
            keys={key.key_id: key.public for key in (self.alice, self.bob)},
            delegations=tuple(delegation(name, keys) for name, keys in roles.items()),
        )
        return replace(plain, **changes)

    def targets(self, version: int = 2, **changes: Any) -> bytes:
        return sign(self.targets_metadata(version, **changes).to_signed(), self.targets_key)

    def tags(
        self,
        key: PrivateKey | None = None,
        version: int = 1,
        targets: Mapping[str, Target] | None = None,
        **changes: Any,
    ) -> bytes:
        """Sign a delegation's file, alice's unless another key is given."""
        plain = Targets(version=version, expires=self.now + 1000 * DAY, targets=targets or tag("v1"))
        return sign(replace(plain, **changes).to_signed(), key or self.alice)

    def snapshot_of(self, files: Mapping[str, bytes], version: int = 2, **changes: Any) -> bytes:
        meta = {name: FileMeta.of(data) for name, data in files.items()}
        plain = Snapshot(version=version, expires=self.now + 1000 * DAY, meta=meta)
        return sign(replace(plain, **changes).to_signed(), self.snapshot_key)

    def first(self) -> dict[str, bytes]:
        return {"root": self.root(), "targets": self.targets()}


def delegation(
    name: str, keys: Sequence[PrivateKey], *, threshold: int = 1, paths: tuple[str, ...] = EVERYTHING
) -> Delegation:
    return Delegation(name, tuple(key.key_id for key in keys), threshold, paths)


class KeysInMemory:
    """A server's own keys."""

    def __init__(self) -> None:
        self.keys = {"timestamp": [PrivateKey.generate()], "snapshot": [PrivateKey.generate()]}

    def open(self, role: str, keyids: Sequence[str]) -> list[PrivateKey]:
        return [key for key in self.keys[role] if key.key_id in keyids]

    def public(self, role: str) -> PublicKey:
        return self.keys[role][-1].public


class Shelf:
    """A server without a server: takes updates by the rules and keeps the newest files."""

    def __init__(self, gun: str = GUN, now: datetime = NOW) -> None:
        self.gun, self.now, self.keys = gun, now, KeysInMemory()
        self.files: dict[str, AcceptedFile] = {}

    def publish(self, update: Mapping[str, bytes]) -> list[str]:
        return self._keep(acceptance.accept(self.gun, update, FilesInMemory(self.files), self.keys, self.now))

    def renew(self) -> list[str]:
        return self._keep(acceptance.renew(FilesInMemory(self.files), self.keys, self.now))

    def _keep(self, accepted: list[AcceptedFile]) -> list[str]:
        self.files.update({file.role: file for file in accepted})
        return [file.role for file in accepted]

    def versions(self) -> dict[str, int]:
        return {role: file.version for role, file in self.files.items()}

    def read(self, role: str, kind: Callable[[dict[str, Any]], Any]) -> Any:
        return kind(Envelope.parse(self.files[role].data).signed)
