"""One home that docker, notary and trustctl share, and what the tests of verbs ask them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.parts.docker_cli import DockerCli
from tests.parts.notary_cli import NotaryCli
from tests.parts.programs import Outcome
from tests.parts.trustctl import TrustCtl


@dataclass(frozen=True)
class Home:
    """One person with the same keys and memory in all three commands."""

    docker: DockerCli
    notary: NotaryCli
    trustctl: TrustCtl
    gun: str

    def run(self, *arguments: str, **variables: str) -> Outcome:
        return self.trustctl.run(*arguments, DOCKER_HOST=self.docker.engine, **variables)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").succeeded().stdout)

    def key(self, name: str) -> Path:
        """Make a key; the public half is moved away, so that the name can be used again."""
        public = self.docker.generate_key(name)
        kept = public.with_name(f"{name}-{len(list(public.parent.glob('*.pub')))}.pub.kept")
        return public.rename(kept)

    def add_signer(self, name: str) -> Path:
        public = self.key(name)
        self.docker.add_signer(name, public, self.gun).succeeded()
        return public

    def sign(self, *tags: str) -> None:
        for tag in tags:
            self.docker.make_image(f"{self.gun}:{tag}", tag)
            self.docker.sign(f"{self.gun}:{tag}").succeeded()

    def key_ids(self, role: str) -> list[str]:
        """Give the ids of the private keys of a role, this repository's where they belong to one."""
        rows = json.loads(self.run("key", "list", "--json").succeeded().stdout)
        return [row["key_id"] for row in rows if row["role"] == role and row["gun"] in (None, self.gun)]

    def pull(self, tag: str) -> Outcome:
        self.docker.forget_image(f"{self.gun}:{tag}")
        return self.docker.pull_trusted(f"{self.gun}:{tag}")

    def agrees(self) -> None:
        """Fail unless docker's answer is ours."""
        assert self.run("inspect", self.gun).succeeded().stdout == self.docker.inspect(self.gun).succeeded().stdout


@pytest.fixture
def home(docker_cli: DockerCli, notary_cli: NotaryCli, trustctl: TrustCtl, gun: str) -> Home:
    notary = replace(notary_cli, trust_dir=docker_cli.trust_dir)
    return Home(docker_cli, notary, replace(trustctl, home=docker_cli.home), gun)


@pytest.fixture
def signed(home: Home) -> Home:
    """Signers alice and bob, both keys at hand; v1 is signed by both."""
    home.add_signer("alice")
    home.add_signer("bob")
    home.sign("v1")
    return home


@pytest.fixture
def consumer(new_docker: Callable[[str], DockerCli], signed: Home) -> DockerCli:
    """Somebody without keys whose docker has seen the repository before."""
    consumer = new_docker("consumer")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    return consumer
