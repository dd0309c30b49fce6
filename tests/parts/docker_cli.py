"""The real `docker` command with its own configuration folder, keys and trust data."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.parts.programs import Outcome, run

ROOT_PASSPHRASE = "root passphrase of a test"
REPOSITORY_PASSPHRASE = "repository passphrase of a test"


@cache
def docker_programs() -> tuple[str, ...]:
    """Give every installed docker command that still has `docker trust`, the first on PATH first.

    CLI 29 moved it to a plugin few systems package. `TRUSTUI_TEST_DOCKER` names the one command to judge with.
    """
    chosen = os.environ.get("TRUSTUI_TEST_DOCKER")
    return tuple(path for path in ([chosen] if chosen else _installed()) if _has_trust(path))


@cache
def newer_docker_programs() -> tuple[str, ...]:
    """Give every docker command without a `docker trust` of its own, for whom our plugin is the only one.

    `TRUSTUI_TEST_NEW_DOCKER` names one that is not on PATH, such as docker 29 beside an older one.
    """
    chosen = os.environ.get("TRUSTUI_TEST_NEW_DOCKER")
    return tuple(path for path in ([chosen] if chosen else _installed()) if not _has_trust(path))


def _installed() -> list[str]:
    places = [shutil.which("docker"), "/usr/bin/docker", "/usr/local/bin/docker"]
    return [path for path in dict.fromkeys(places) if path and Path(path).exists()]


def _has_trust(program: str) -> bool:
    with_home = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return "docker trust COMMAND" in run([program, "trust", "--help"], env=with_home).stdout


def require_docker() -> str:
    """Give the docker command to judge with, or skip."""
    programs = docker_programs()
    if not programs:
        pytest.skip("no docker command with `docker trust` is installed (Debian package docker.io)")
    return programs[0]


@dataclass(frozen=True, slots=True)
class DockerCli:
    """One person's docker: configuration, login, trust folder and passphrases of their own.

    The login matters even where nobody checks it: `docker trust sign` names a new repository's signer after it.
    """

    program: str
    home: Path
    engine: str
    registry: str
    trust_url: str
    ca_pem: str
    username: str = "admin"
    root_passphrase: str = ROOT_PASSPHRASE
    repository_passphrase: str = REPOSITORY_PASSPHRASE
    password: str = "secret"

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        (self.home / "config.json").write_text(json.dumps({"auths": {self.registry: {"auth": login}}}))
        tls = self.home / "tls" / urlsplit(self.trust_url).netloc
        tls.mkdir(parents=True, exist_ok=True)
        (tls / "ca.crt").write_text(self.ca_pem)

    @property
    def trust_dir(self) -> Path:
        return self.home / "trust"

    @property
    def private_dir(self) -> Path:
        return self.trust_dir / "private"

    @property
    def environment(self) -> dict[str, str]:
        """Everything this docker sees; nothing of the test run's own environment but PATH."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "DOCKER_CONFIG": str(self.home),
            "DOCKER_HOST": self.engine,
            "DOCKER_CONTENT_TRUST_SERVER": self.trust_url,
            "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE": self.root_passphrase,
            "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE": self.repository_passphrase,
        }

    def run(self, *arguments: str, content_trust: bool = False, stdin: bytes | None = None) -> Outcome:
        """Run one docker command; `content_trust` switches DOCKER_CONTENT_TRUST on for it."""
        env = self.environment | ({"DOCKER_CONTENT_TRUST": "1"} if content_trust else {})
        return run([self.program, *arguments], env=env, stdin=stdin, folder=self.home)

    def generate_key(self, name: str) -> Path:
        """Make a signer key and give the path of its public half."""
        self.run("trust", "key", "generate", name, "--dir", str(self.home)).succeeded()
        return self.home / f"{name}.pub"

    def add_signer(self, name: str, public_key: Path, *guns: str) -> Outcome:
        return self.run("trust", "signer", "add", "--key", str(public_key), name, *guns)

    def sign(self, image: str) -> Outcome:
        return self.run("trust", "sign", image)

    def inspect(self, *names: str) -> Outcome:
        return self.run("trust", "inspect", *names)

    def inspect_pretty(self, name: str) -> Outcome:
        return self.run("trust", "inspect", "--pretty", name)

    def described(self, name: str) -> dict[str, Any]:
        """Give the one element `docker trust inspect NAME` prints."""
        (description,) = json.loads(self.inspect(name).succeeded().stdout)
        assert isinstance(description, dict)
        return description

    def make_image(self, reference: str, content: str) -> None:
        """Make a local image out of one small file; other content, other digest."""
        self.run("import", "-", reference, stdin=_layer(content)).succeeded()

    def push(self, reference: str, *, content_trust: bool = False) -> str:
        """Push and give the manifest's digest in hex."""
        pushed = self.run("push", reference, content_trust=content_trust).succeeded().stdout
        (line,) = [line for line in pushed.splitlines() if ": digest: sha256:" in line]
        return line.split("sha256:")[1].split()[0]

    def pull_trusted(self, reference: str) -> Outcome:
        return self.run("pull", reference, content_trust=True)

    def forget_image(self, reference: str) -> None:
        self.run("image", "rm", "--force", reference)


def _layer(content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("content.txt")
        entry.size = len(content.encode())
        tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()
