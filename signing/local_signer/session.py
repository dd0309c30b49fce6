"""One command's connections: to which server, with whose login, over which folders."""

from __future__ import annotations

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from signing.local_signer.docker_folder import DockerFolder
from signing.trust.errors import InvalidInput, NotConfirmed

if TYPE_CHECKING:
    from signing.local_signer.passphrases import Passphrases
    from signing.trust.keystore.encrypted_files import FileKeyStore
    from signing.trust.notary.cache import FileCache
    from signing.trust.notary.client import TrustedRepository
    from signing.trust.notary.gun import Gun
    from signing.trust.notary.pinning import Pinning
    from signing.trust.notary.repository import Repository
    from signing.trust.notary.staging import StagedChanges
    from signing.trust.notary.transport import HttpsTransport

# The trust core is imported where it is used: `trustctl --help` and a mistyped command need none of it.


class Session:
    """What the options and the environment say, and the connections made so far."""

    def __init__(self, arguments: Namespace, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.docker = DockerFolder.of(environ)
        self._server: str | None = getattr(arguments, "server", None)
        self._ca: Path | None = getattr(arguments, "ca", None)
        self.trust_dir: Path = getattr(arguments, "trust_dir", None) or self.docker.trust_dir
        self._config: Path | None = getattr(arguments, "config", None)
        self._open = contextlib.ExitStack()
        self._transports: dict[tuple[str, str], HttpsTransport] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def passphrases(self) -> Passphrases:
        """Where passphrases come from; the terminal only if there is one."""
        from getpass import getpass

        from signing.local_signer.passphrases import Passphrases

        return Passphrases(self.environ, getpass if sys.stdin.isatty() else None)

    def keystore(self) -> FileKeyStore:
        """Open docker's `private/` folder."""
        from signing.trust.keystore.encrypted_files import FileKeyStore

        return FileKeyStore(self.trust_dir / "private", self.passphrases)

    def staged(self, gun: Gun) -> StagedChanges:
        """Open the changes of a repository that wait to be published, in notary's folder."""
        from signing.trust.notary.staging import StagedChanges

        return StagedChanges(self.trust_dir, gun)

    def forget(self, gun: Gun) -> bool:
        """Delete what is remembered of a repository; False if nothing is."""
        cache = self._cache(gun)
        had = cache.load("root") is not None
        cache.clear()
        return had

    @property
    def can_ask(self) -> bool:
        """Whether there is a terminal to ask questions at."""
        return sys.stdin.isatty()

    def asks(self, question: str) -> bool:
        """Ask a question at the terminal; only yes is yes."""
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def require_consent(self, question: str, *, given: bool) -> None:
        """Ask before something that cannot be undone, unless the command line says yes.

        Raises:
            NotConfirmed: the answer is no, or there is nobody to ask.
        """
        if given or (self.can_ask and self.asks(question)):
            return
        raise NotConfirmed("Nothing was done: this was not confirmed.", next_step="Give --yes if it is meant.")

    @cached_property
    def pinning(self) -> Pinning:
        """Which root keys are right, by `--config` or by the trust folder; trust on first use without either."""
        from signing.trust.notary.pinning_file import pinning_in, read_pinning

        return pinning_in(self.trust_dir) if self._config is None else read_pinning(self._config)

    def refresh(self, gun: Gun) -> TrustedRepository:
        """Fetch and verify a repository; what is only remembered does not do."""
        from signing.trust.notary.client import refresh

        trusted = refresh(gun, self.transport(gun), self._cache(gun), pinning=self.pinning)
        if trusted.is_stale:  # ask again for the reason
            return refresh(gun, self.transport(gun), self._cache(gun), pinning=self.pinning, must_reach_server=True)
        return trusted

    @contextlib.contextmanager
    def repository(self, gun: Gun, keystore: FileKeyStore) -> Iterator[Repository]:
        """Open a repository for writing."""
        from signing.trust.notary.repository import Repository

        yield Repository(gun, self.transport(gun), self._cache(gun), keystore, pinning=self.pinning)

    def remembered(self, gun: Gun) -> Callable[[str], bytes | None]:
        """Give what this folder trusted last of a repository, by role."""
        return self._cache(gun).load

    def dashboard_ca(self) -> str | None:
        """Give the authority that --ca names, for the dashboard's certificate; None for the system's."""
        return None if self._ca is None else self._authorities("")

    def _cache(self, gun: Gun) -> FileCache:
        from signing.trust.notary.cache import FileCache

        return FileCache(self.trust_dir, gun)

    def transport(self, gun: Gun) -> HttpsTransport:
        """Connect to the GUN's server with the login of its registry, once for all GUNs of both."""
        from signing.trust.notary.gun import server_for

        server = (self._server or server_for(gun, self.environ)).rstrip("/")
        place = (server, gun.host)
        if place not in self._transports:
            self._transports[place] = self._open.enter_context(self._connect(server, gun.host))
        return self._transports[place]

    def _connect(self, server: str, registry: str) -> HttpsTransport:
        from signing.trust.notary.transport import HttpsTransport

        login = self.docker.login(registry)
        return HttpsTransport(
            server,
            ca_pem=self._authorities(server),
            client_cert=self.docker.client_certificate(server),
            username=login.username if login else None,
            password=login.password if login else None,
        )

    def _authorities(self, server: str) -> str | None:
        if self._ca is None:
            return self.docker.authorities(server)
        if not self._ca.is_file():
            raise InvalidInput(f"There is no file {self._ca}.", next_step="Name the authority's PEM file after --ca.")
        return self._ca.read_text(errors="replace")
