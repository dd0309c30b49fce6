"""`trustctl` in this process, with a home of its own and a simulated trust server."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from signing.local_signer.main import main
from signing.local_signer.session import Session
from tests.simulator import Owner, Simulator

GUN = "registry.example.com/team/app"
DIGEST = "sha256:" + "ab" * 32
OTHER_DIGEST = "sha256:" + "cd" * 32


def real_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    def refused(self) -> str:
        """Give the one sentence and next step, or fail."""
        assert self.code == 1, self
        assert "Traceback" not in self.stderr
        (line,) = self.stderr.splitlines()
        return line


@dataclass(frozen=True)
class TrustCtl:
    """One person at home."""

    home: Path
    capture: pytest.CaptureFixture[str]

    @property
    def trust_dir(self) -> Path:
        return self.home / ".docker" / "trust"

    def run(self, *arguments: str) -> Outcome:
        self.capture.readouterr()
        try:
            code = main(list(arguments))
        except SystemExit as stop:  # argparse ends the process itself
            code = int(stop.code or 0)
        return Outcome(code, *self.capture.readouterr())

    def generate(self, name: str) -> Path:
        """Make a key and give the path of its public half."""
        assert self.run("key", "generate", name, "--dir", str(self.home)).code == 0
        return self.home / f"{name}.pub"

    def add_signer(self, name: str, *guns: str) -> None:
        assert self.run("signer", "add", "--key", str(self.generate(name)), name, *(guns or (GUN,))).code == 0

    def sign(self, *names: str, digest: str = DIGEST) -> Outcome:
        return self.run("sign", "--digest", digest, "--size", "523", *names)


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The variables of one person; nothing of the test run's own docker."""
    for name in list(os.environ):
        if name.startswith("DOCKER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", "root passphrase")
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "repository passphrase")
    return monkeypatch


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The trust server of every GUN."""
    simulated = Simulator(real_time)

    def connect(_session: Session, _server: str, _registry: str) -> contextlib.AbstractContextManager[Simulator]:
        return contextlib.nullcontext(simulated)

    monkeypatch.setattr(Session, "_connect", connect)
    return simulated


@pytest.fixture
def trustctl(
    tmp_path: Path, environ: pytest.MonkeyPatch, simulator: Simulator, capsys: pytest.CaptureFixture[str]
) -> TrustCtl:
    return TrustCtl(tmp_path, capsys)


@pytest.fixture
def owner(simulator: Simulator) -> Owner:
    """Somebody else who initialised the repository."""
    return Owner(simulator, real_time, GUN).initialise()
