"""People with a key store of their own, who write to the simulated server through `Repository`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.repository import Repository
from signing.trust.tuf.metadata import Target
from tests.memory_keystore import MemoryKeyStore
from tests.simulator import GUN, Owner, Simulator
from tests.unit.trust.notary.conftest import digest


@dataclass
class Person:
    """Keys, memory and a repository."""

    simulator: Simulator
    now: Callable[[], datetime]
    keys: MemoryKeyStore = field(default_factory=MemoryKeyStore)
    cache: MemoryCache = field(default_factory=MemoryCache)

    def repository(self, gun: str = GUN) -> Repository:
        return Repository(Gun(gun), self.simulator, self.cache, self.keys, now=self.now)

    def key(self, name: str) -> PrivateKey:
        """Make a signer's key and keep it."""
        return self.keep(PrivateKey.generate(), name)

    def keep(self, key: PrivateKey, role: str, gun: str | None = None) -> PrivateKey:
        self.keys.add(key, role, gun)
        return key

    def holding(self, owner: Owner, *names: str) -> Person:
        """Take over keys of an owner: `root`, `targets`, or signers by name."""
        for name in names:
            if name == "root":
                self.keep(owner.root_key, "root")
            elif name == "targets":
                self.keep(owner.targets_key, "targets", owner.gun)
            else:
                self.keep(owner.signer_keys[name], name)
        return self


def target(tag: str, content: str | None = None) -> Target:
    return Target.from_digest(tag, digest(content or tag), 500)
