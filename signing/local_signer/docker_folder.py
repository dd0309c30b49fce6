"""Docker's configuration folder: where its trust data, TLS files and registry logins are (reference 4.1, 5)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from signing.trust.errors import InvalidInput

DOCKER_HUB, DOCKER_HUB_LOGIN = "docker.io", "index.docker.io"
LARGEST_CONFIG = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """A registry's user name and password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DockerFolder:
    """`$DOCKER_CONFIG`, else `~/.docker`."""

    path: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> DockerFolder:
        """Find the folder as docker does."""
        configured = environ.get("DOCKER_CONFIG")
        return cls(Path(configured) if configured else Path(environ.get("HOME") or "~").expanduser() / ".docker")

    @property
    def trust_dir(self) -> Path:
        """Keys and remembered metadata, shared with `docker trust`."""
        return self.path / "trust"

    def authorities(self, server: str) -> str | None:
        """Give the certificates of `tls/HOST[:PORT]/*.crt` as PEM; with any there, no other authority counts.

        Docker adds them to the system's. A server with a private authority needs no others, so fewer are trusted here.
        """
        texts = [_read_text(path) for path in sorted(self._tls(server).glob("*.crt"))]
        return "\n".join(texts) or None

    def client_certificate(self, server: str) -> tuple[Path, Path] | None:
        """Give the first `*.cert` of `tls/HOST[:PORT]/` with its `.key`.

        Raises:
            InvalidInput: the key is missing.
        """
        certificate = next(iter(sorted(self._tls(server).glob("*.cert"))), None)
        if certificate is None:
            return None
        key = certificate.with_suffix(".key")
        if not key.is_file():
            raise InvalidInput(
                f"{certificate} needs its key beside it, {key.name}.",
                next_step=f"Put {key.name} there, or remove {certificate.name}.",
            )
        return certificate, key

    def login(self, registry: str) -> Login | None:
        """Give the login `docker login` stored for a registry; credential helpers are not asked.

        Raises:
            InvalidInput: config.json cannot be read.
        """
        wanted = DOCKER_HUB_LOGIN if registry == DOCKER_HUB else registry
        for name, entry in self._stored_logins().items():
            if _host_of(name) == wanted and isinstance(entry, dict):
                return _login_from(entry, self.path / "config.json")
        return None

    def _stored_logins(self) -> Mapping[str, Any]:
        path = self.path / "config.json"
        if not path.is_file():
            return {}
        try:
            config = json.loads(_read_text(path))
        except (ValueError, RecursionError):
            raise _unreadable(path, "it is not JSON") from None
        logins = config.get("auths") if isinstance(config, dict) else None
        return logins if isinstance(logins, dict) else {}

    def _tls(self, server: str) -> Path:
        return self.path / "tls" / urlsplit(server).netloc.rpartition("@")[2]


def _login_from(entry: Mapping[str, Any], path: Path) -> Login | None:
    encoded = entry.get("auth")
    if not encoded or not isinstance(encoded, str):
        return None
    try:
        username, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = ""
    if not colon:
        raise _unreadable(path, "a login in it is not base64 of NAME:PASSWORD")
    return Login(username, password.rstrip("\0"))  # docker itself pads with null bytes here


def _host_of(name: str) -> str:
    """Cut an entry's name, which may be a whole address, down to its host."""
    return name.rpartition("://")[2].partition("/")[0]


def _read_text(path: Path) -> str:
    if path.stat().st_size > LARGEST_CONFIG:
        raise _unreadable(path, "it is too large")
    try:
        return path.read_text()
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not text") from None


def _unreadable(path: Path, reason: str) -> InvalidInput:
    return InvalidInput(f"{path} cannot be read: {reason}.", next_step="Mend the file or remove it, then try again.")
