"""Find the programs a test needs, and give a plain reason to skip where one is absent."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

DEBIAN_PACKAGES = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "notary": "notary",
    "notary-server": "notary",
    "notary-signer": "notary",
    "redis-server": "redis-server",
    "postgres": "postgresql",
    "chromium": "chromium",
    "softhsm2-util": "softhsm2",
    "slapd": "slapd",
    "slapadd": "slapd",
    "wrk": "wrk",
    "zsh": "zsh",
    "curl": "curl",
    "fish": "fish",
}


def require_program(name: str) -> str:
    """Give the program's path, or skip the test that needs it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian package {DEBIAN_PACKAGES[name]})")
    return found


def require_postgres() -> Path:
    """Give PostgreSQL's versioned program folder, or skip: Debian keeps it off PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    if not folders:
        pytest.skip(f"postgres is not installed (Debian package {DEBIAN_PACKAGES['postgres']})")
    return folders[-1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended and what it printed."""

    argv: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    def succeeded(self) -> Outcome:
        """Give itself back, or fail the test with everything the command said."""
        assert self.code == 0, f"{self}"
        return self

    def failed(self) -> Outcome:
        """Give itself back, or fail the test because the command should have refused."""
        assert self.code != 0, f"should have failed: {self}"
        return self

    def __str__(self) -> str:
        return f"{' '.join(self.argv)} -> exit {self.code}\n{self.stdout}\n{self.stderr}"


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: bytes | None = None,
    folder: Path | None = None,
    timeout: float = 90,
) -> Outcome:
    """Run a command to its end with exactly this environment and no terminal."""
    done = subprocess.run(
        argv,
        env=dict(env),
        input=stdin if stdin is not None else b"",
        cwd=folder,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Outcome(tuple(argv), done.returncode, done.stdout.decode(), done.stderr.decode())
