"""Our `trustctl` as a process, with docker's environment variables and folders."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.parts.builtin_server import PROJECT
from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, ROOT_PASSPHRASE
from tests.parts.programs import Outcome, run


@dataclass(frozen=True, slots=True)
class TrustCtl:
    """One person's trustctl; `home` plays the part of ~/.docker."""

    home: Path
    url: str
    ca_file: Path

    def __post_init__(self) -> None:
        tls = self.home / "tls" / urlsplit(self.url).netloc
        tls.mkdir(parents=True, exist_ok=True)
        (tls / "ca.crt").write_text(self.ca_file.read_text())

    @property
    def trust_dir(self) -> Path:
        return self.home / "trust"

    @property
    def private_dir(self) -> Path:
        return self.trust_dir / "private"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "HOME": str(self.home),
            "DOCKER_CONFIG": str(self.home),
            "DOCKER_CONTENT_TRUST_SERVER": self.url,
            "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE": ROOT_PASSPHRASE,
            "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": REPOSITORY_PASSPHRASE,
        }

    def run(self, *arguments: str, **variables: str) -> Outcome:
        """Run one command; further variables replace those of `environment`."""
        argv = [sys.executable, "-m", "signing.local_signer", *arguments]
        return run(argv, env=self.environment | variables, folder=self.home)
