"""`docker trust` by our plugin: the real docker calls it, and the real docker's own `docker trust` is the judge.

docker before 29 passes over a plugin named trust, for it has a command of that name. So each journey is walked through
docker under another name, by starting docker-trust as docker 29 does, and through docker 29 itself where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.parts.docker_cli import DockerCli, docker_programs, newer_docker_programs
from tests.parts.programs import Outcome, run
from tests.parts.trustctl import TrustCtl

OTHER_NAME = "dct"
Trust = Callable[..., Outcome]


@dataclass(frozen=True)
class Person:
    """Somebody with docker and the plugin in one home; `trust` is what they type after `docker`."""

    docker: DockerCli
    environment: dict[str, str]
    way: str

    def trust(self, *arguments: str) -> Outcome:
        if self.way == "docker-trust":
            plugin = self.docker.home / "cli-plugins" / "docker-trust"
            called = self.environment | {"DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND": self.docker.program}
            return run([str(plugin), "trust", *arguments], env=called, folder=self.docker.home)
        return run([self.way, self.name, *arguments], env=self.environment, folder=self.docker.home)

    @property
    def name(self) -> str:
        """How this docker calls the plugin."""
        return "trust" if self.way in newer_docker_programs() else OTHER_NAME


@pytest.fixture(params=[*docker_programs(), *newer_docker_programs(), "docker-trust"])
def person(request: pytest.FixtureRequest, docker_cli: DockerCli, trustctl: TrustCtl) -> Person:
    shared = replace(trustctl, home=docker_cli.home)
    for name in ("trust", OTHER_NAME):
        shared.run("plugin", "install", "--name", name).succeeded()
    environment = docker_cli.environment | {"PYTHONPATH": shared.environment["PYTHONPATH"]}
    return Person(docker_cli, environment, request.param)


def test_docker_lists_the_plugin(person: Person) -> None:
    if person.way == "docker-trust":
        metadata = person.docker.home / "cli-plugins" / "docker-trust"
        told = run([str(metadata), "docker-cli-plugin-metadata"], env=person.environment).succeeded()
        assert json.loads(told.stdout)["SchemaVersion"] == "0.1.0"
        return
    shown = run([person.way, "--help"], env=person.environment).succeeded().stdout
    assert f"{person.name}*" in shown
    assert "Manage trust on Docker images" in shown
    for words in (["help", person.name], [person.name, "--help"]):
        told = run([person.way, *words], env=person.environment).succeeded().stdout
        assert told.startswith(f"usage: docker {person.name} ")
    completed = run([person.way, "__complete", person.name, "sign"], env=person.environment).succeeded().stdout
    assert completed.splitlines()[:3] in (["sign", "signer", ":4"], [":0"])  # docker 20.10 does not ask plugins


def test_inspect_prints_what_docker_s_own_command_prints(person: Person, gun: str) -> None:
    person.docker.add_signer("alice", person.docker.generate_key("alice"), gun).succeeded()
    for tag in ("v1", "v10", "v2"):
        person.docker.make_image(f"{gun}:{tag}", tag)
        person.docker.sign(f"{gun}:{tag}").succeeded()

    for arguments in ([gun], [f"{gun}:v2"], [f"{gun}:absent"], ["--pretty", gun], [gun, f"{gun}:v1"]):
        ours, theirs = person.trust("inspect", *arguments), person.docker.run("trust", "inspect", *arguments)
        assert (ours.code, ours.stdout) == (theirs.code, theirs.stdout), arguments
    ours, theirs = person.trust("inspect", f"{gun}-absent"), person.docker.inspect(f"{gun}-absent")
    assert (ours.code, ours.stdout) == (theirs.code, theirs.stdout)


def test_the_walk_through_by_the_plugin_ends_in_a_pull_docker_accepts(person: Person, gun: str) -> None:
    docker = person.docker
    person.trust("key", "generate", "alice", "--dir", str(docker.home)).succeeded()
    person.trust("signer", "add", "--key", str(docker.home / "alice.pub"), "alice", gun).succeeded()
    docker.make_image(f"{gun}:v1", "signed by the plugin")

    signed = person.trust("sign", f"{gun}:v1").succeeded()

    assert f"Successfully signed {gun}:v1" in signed.stdout
    (row,) = docker.described(gun)["SignedTags"]
    assert row["Signers"] == ["alice"]
    docker.forget_image(f"{gun}:v1")
    docker.pull_trusted(f"{gun}:v1").succeeded()


def test_a_released_tag_is_signed_again_at_its_digest_and_local_signs_what_is_here(person: Person, gun: str) -> None:
    docker = person.docker
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    docker.make_image(f"{gun}:v1", "first")
    docker.sign(f"{gun}:v1").succeeded()
    (first,) = docker.described(gun)["SignedTags"]
    docker.make_image(f"{gun}:v1", "second")

    again = person.trust("sign", f"{gun}:v1").succeeded()

    assert f"Existing signatures for tag v1 digest {first['Digest']} from:\nalice\n" in again.stdout
    assert docker.described(gun)["SignedTags"] == [first]
    person.trust("sign", "--local", f"{gun}:v1").succeeded()
    (second,) = docker.described(gun)["SignedTags"]
    assert second["Digest"] != first["Digest"]


def test_the_first_signing_of_a_repository_names_its_signer_after_the_login(person: Person, gun: str) -> None:
    person.docker.make_image(f"{gun}:v1", "first of all")

    signed = person.trust("sign", f"{gun}:v1").succeeded()

    assert "Created signer: admin" in signed.stdout
    assert [signer["Name"] for signer in person.docker.described(gun)["Signers"]] == ["admin"]


def test_nothing_is_pushed_for_somebody_who_may_not_sign(
    person: Person, new_docker: Callable[[str], DockerCli], gun: str
) -> None:
    owner = new_docker("owner")
    owner.add_signer("alice", owner.generate_key("alice"), gun).succeeded()
    person.docker.make_image(f"{gun}:v1", "not mine to sign")

    refused = person.trust("sign", f"{gun}:v1").failed()

    assert "Traceback" not in refused.text
    person.docker.forget_image(f"{gun}:v1")
    person.docker.run("pull", f"{gun}:v1").failed()


def test_revoke_and_signer_remove_do_what_docker_s_own_say(person: Person, gun: str) -> None:
    docker = person.docker
    for name in ("alice", "bob"):
        docker.add_signer(name, docker.generate_key(name), gun).succeeded()
    for tag in ("v1", "v2"):
        docker.make_image(f"{gun}:{tag}", tag)
        docker.sign(f"{gun}:{tag}").succeeded()

    person.trust("revoke", "--yes", f"{gun}:v2").succeeded()
    person.trust("signer", "remove", "--force", "bob", gun).succeeded()

    described = docker.described(gun)
    assert [tag["SignedTag"] for tag in described["SignedTags"]] == ["v1"]
    assert [signer["Name"] for signer in described["Signers"]] == ["alice"]
    docker.forget_image(f"{gun}:v1")
    docker.pull_trusted(f"{gun}:v1").succeeded()


def test_docker_s_own_options_reach_the_plugin(person: Person, gun: str, trustctl: TrustCtl) -> None:
    person.docker.add_signer("alice", person.docker.generate_key("alice"), gun).succeeded()
    plugin = person.docker.home / "cli-plugins" / "docker-trust"
    away = {name: value for name, value in person.environment.items() if name != "DOCKER_CONFIG"}

    told = run(
        [str(plugin), "--log-level", "error", f"--config={person.docker.home}", "trust", "inspect", gun],
        env=away | {"HOME": "/nonexistent"},
    ).succeeded()

    assert told.stdout == person.docker.inspect(gun).stdout


def test_install_replaces_nobody_else_s_plugin_and_remove_takes_only_its_own(trustctl: TrustCtl) -> None:
    plugin = trustctl.home / "cli-plugins" / "docker-trust"
    plugin.parent.mkdir()
    plugin.write_text("#!/bin/sh\n")

    trustctl.run("plugin", "install").failed()
    trustctl.run("plugin", "remove").failed()
    assert plugin.read_text() == "#!/bin/sh\n"

    trustctl.run("plugin", "install", "--force").succeeded()
    trustctl.run("plugin", "remove").succeeded()
    assert not plugin.exists()
