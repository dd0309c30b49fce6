"""Our own trust core with docker's folders, as one person uses it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, ROOT_PASSPHRASE

if TYPE_CHECKING:
    from signing.trust.keystore.encrypted_files import FileKeyStore
    from signing.trust.notary.client import TrustedRepository
    from signing.trust.notary.repository import Published, Repository
    from signing.trust.notary.transport import Transport

# The trust core is imported where it is used: the other parts work without it.


@dataclass(frozen=True, slots=True)
class OurClient:
    """One person's trust core on docker's layout: `trust/private`, `trust/tuf` below `home`."""

    home: Path
    url: str
    ca_pem: str

    @property
    def trust_dir(self) -> Path:
        return self.home / "trust"

    @property
    def private_dir(self) -> Path:
        return self.trust_dir / "private"

    @property
    def keystore(self) -> FileKeyStore:
        from signing.trust.keystore.encrypted_files import FileKeyStore

        return FileKeyStore(self.private_dir, passphrase_for)

    @contextlib.contextmanager
    def repository(self, gun: str, wrapped: Callable[[Transport], Transport] = lambda it: it) -> Iterator[Repository]:
        """Open the repository over a connection that closes at the end, like a process of its own.

        `wrapped` may put something between the repository and its transport.
        """
        from signing.trust.notary import client
        from signing.trust.notary.cache import FileCache
        from signing.trust.notary.gun import Gun
        from signing.trust.notary.repository import Repository
        from signing.trust.notary.transport import HttpsTransport

        client.resident.clear()
        name = Gun.parse(gun)
        with HttpsTransport(self.url, ca_pem=self.ca_pem) as transport:
            yield Repository(name, wrapped(transport), FileCache(self.trust_dir, name), self.keystore)

    def generate_key(self, name: str) -> Path:
        """Make a signer key in the trust folder and give the path of its public half."""
        from signing.trust.keystore.base import PrivateKey

        key = PrivateKey.generate()
        self.keystore.add(key, name, None)
        public = self.home / f"{name}.pub"
        public.write_text(key.public.to_pem())
        return public

    def add_signer(self, name: str, public_key: Path, gun: str) -> Published:
        from signing.trust.tuf.keys import PublicKey

        with self.repository(gun) as repository:
            return repository.add_signer(name, [PublicKey.from_pem(public_key.read_text())])

    def sign(self, gun: str, tags: dict[str, tuple[str, int]]) -> Published:
        """Sign digests, given as tag -> (hex sha256, length), in one publish."""
        from signing.trust.tuf.metadata import Target

        targets = [Target(tag, length, {"sha256": bytes.fromhex(digest)}) for tag, (digest, length) in tags.items()]
        with self.repository(gun) as repository:
            return repository.sign(targets)

    def refresh(self, gun: str) -> TrustedRepository:
        with self.repository(gun) as repository:
            return repository.refresh()

    def inspect(self, gun: str, tag: str | None = None) -> str:
        """Give what `docker trust inspect` should print."""
        from signing.trust.notary.inspect import describe, to_json

        return to_json([describe(self.refresh(gun), _name(gun, tag), tag)])

    def inspect_pretty(self, gun: str, tag: str | None = None) -> str:
        """Give what `docker trust inspect --pretty` should print."""
        from signing.trust.notary.inspect import describe, pretty

        return pretty(describe(self.refresh(gun), _name(gun, tag), tag))


def passphrase_for(role: str, key_id: str, *, new: bool, attempt: int) -> str:
    """Give the passphrase docker's two variables would give."""
    return ROOT_PASSPHRASE if role == "root" else REPOSITORY_PASSPHRASE


def _name(gun: str, tag: str | None) -> str:
    return gun if tag is None else f"{gun}:{tag}"
