"""`trustctl` as a process: docker's answers, docker's folders, and an exit code one can build on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parts.docker_cli import DockerCli
from tests.parts.lying_server import LyingServer
from tests.parts.notary_cli import NotaryCli
from tests.parts.trustctl import TrustCtl


def sign_with_docker(docker: DockerCli, gun: str, *tags: str) -> None:
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    for tag in tags:
        docker.make_image(f"{gun}:{tag}", tag)
        docker.sign(f"{gun}:{tag}").succeeded()


def push_unsigned(docker: DockerCli, reference: str) -> tuple[str, str]:
    """Push and give digest and length as an operator would copy them from the output."""
    docker.make_image(reference, reference)
    printed = docker.run("push", reference).succeeded().stdout.rstrip()
    digest, _, length = printed.rpartition("digest: ")[2].partition(" size: ")
    return digest, length


def test_inspect_prints_what_docker_prints(docker_cli: DockerCli, trustctl: TrustCtl, gun: str) -> None:
    sign_with_docker(docker_cli, gun, "v1", "v10", "v2")

    for name in (gun, f"{gun}:v2", f"{gun}:absent"):
        assert trustctl.run("inspect", name).succeeded().stdout == docker_cli.inspect(name).stdout
        theirs = docker_cli.inspect_pretty(name).succeeded().stdout
        assert trustctl.run("inspect", "--pretty", name).succeeded().stdout == theirs


def test_inspect_takes_its_settings_as_options_too(
    docker_cli: DockerCli, trustctl: TrustCtl, gun: str, tmp_path: Path
) -> None:
    sign_with_docker(docker_cli, gun, "v1")
    options = ["--server", trustctl.url, "--ca", str(trustctl.ca_file), "--trust-dir", str(tmp_path / "elsewhere")]

    outcome = trustctl.run(
        "inspect", *options, gun, DOCKER_CONTENT_TRUST_SERVER="", DOCKER_CONFIG=str(tmp_path / "empty")
    ).succeeded()

    assert outcome.stdout == docker_cli.inspect(gun).stdout
    assert list((tmp_path / "elsewhere").rglob("root.json"))


def test_inspect_of_two_repositories_prints_one_list(
    docker_cli: DockerCli, trustctl: TrustCtl, new_gun: Callable[[], str]
) -> None:
    guns = [new_gun(), new_gun()]
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), *guns).succeeded()

    assert trustctl.run("inspect", *guns).succeeded().stdout == docker_cli.inspect(*guns).succeeded().stdout


def test_key_generate_writes_what_docker_writes(trustctl: TrustCtl, docker_cli: DockerCli, gun: str) -> None:
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()

    (key_file,) = trustctl.private_dir.glob("*.key")
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: alice\n\n")
    docker_cli.add_signer("alice", trustctl.home / "alice.pub", gun).succeeded()
    (signer,) = docker_cli.described(gun)["Signers"]
    assert signer["Keys"] == [{"ID": key_file.stem}]


def test_the_walk_through_with_trustctl_ends_in_a_pull_docker_accepts(
    trustctl: TrustCtl, docker_cli: DockerCli, gun: str
) -> None:
    digest, length = push_unsigned(docker_cli, f"{gun}:v1")
    push_unsigned(docker_cli, f"{gun}:unsigned")
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()

    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()
    trustctl.run("sign", f"{gun}:v1", "--digest", digest, "--size", length).succeeded()

    trustctl.run("verify", f"{gun}:v1").succeeded()
    assert trustctl.run("inspect", gun).stdout == docker_cli.inspect(gun).succeeded().stdout
    for tag in ("v1", "unsigned"):
        docker_cli.forget_image(f"{gun}:{tag}")
    docker_cli.pull_trusted(f"{gun}:v1").succeeded()
    docker_cli.pull_trusted(f"{gun}:unsigned").failed()


def test_trustctl_and_docker_share_one_home(trustctl: TrustCtl, docker_cli: DockerCli, gun: str) -> None:
    """The same folder, the same keys, the same memory: a person may use both on one repository."""
    shared = replace(trustctl, home=docker_cli.home)
    public_key = docker_cli.generate_key("alice")
    digest, length = push_unsigned(docker_cli, f"{gun}:v1")

    shared.run("signer", "add", "--key", str(public_key), "alice", gun).succeeded()
    shared.run("sign", f"{gun}:v1", "--digest", digest, "--size", length).succeeded()
    docker_cli.make_image(f"{gun}:v2", "docker signs with the same key")
    docker_cli.sign(f"{gun}:v2").succeeded()

    assert shared.run("inspect", gun).succeeded().stdout == docker_cli.inspect(gun).stdout
    assert [tag["SignedTag"] for tag in docker_cli.described(gun)["SignedTags"]] == ["v1", "v2"]


def test_notary_lists_what_trustctl_signed(
    trustctl: TrustCtl, notary_cli: NotaryCli, docker_cli: DockerCli, gun: str
) -> None:
    digest, length = push_unsigned(docker_cli, f"{gun}:v1")
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()

    trustctl.run("sign", f"{gun}:v1", "--digest", digest, "--size", length).succeeded()

    row = notary_cli.list(gun)["v1"]
    assert (f"sha256:{row.digest}", str(row.size), row.role) == (digest, length, "targets/alice")


def test_verify_refuses_an_unsigned_tag(docker_cli: DockerCli, trustctl: TrustCtl, gun: str) -> None:
    sign_with_docker(docker_cli, gun, "v1")

    trustctl.run("verify", f"{gun}:v1").succeeded()
    assert_refused_in_one_sentence(trustctl, "verify", f"{gun}:v2")


def test_inspect_of_a_repository_nobody_initialised_fails(trustctl: TrustCtl, gun: str) -> None:
    assert_refused_in_one_sentence(trustctl, "inspect", gun)


def test_an_unreachable_server_fails_although_the_answer_is_in_memory(
    docker_cli: DockerCli, trustctl: TrustCtl, gun: str
) -> None:
    """docker would answer from its cache for two weeks; exit 0 of ours means verified now."""
    sign_with_docker(docker_cli, gun, "v1")
    trustctl.run("inspect", gun).succeeded()

    outcome = trustctl.run("inspect", "--server", "https://127.0.0.1:9", "--ca", str(trustctl.ca_file), gun)

    assert outcome.code != 0
    assert "Traceback" not in outcome.text


def test_a_lying_server_fails(docker_cli: DockerCli, trustctl: TrustCtl, gun: str, tmp_path: Path) -> None:
    sign_with_docker(docker_cli, gun, "v1")
    liar = LyingServer(tmp_path / "liar", docker_cli.trust_url, docker_cli.ca_pem).start()
    try:
        liar.lie = lambda path, body: body.replace(b'"length":', b'"length":1') if "snapshot" in path else body
        options = ["--server", liar.url, "--ca", str(liar.ca_file)]
        assert_refused_in_one_sentence(trustctl, "inspect", *options, gun)
        assert_refused_in_one_sentence(trustctl, "verify", *options, f"{gun}:v1")
    finally:
        liar.stop()


def test_a_wrong_passphrase_signs_nothing(docker_cli: DockerCli, trustctl: TrustCtl, gun: str) -> None:
    digest, length = push_unsigned(docker_cli, f"{gun}:v1")
    trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).succeeded()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", gun).succeeded()

    outcome = trustctl.run(
        "sign",
        f"{gun}:v1",
        "--digest",
        digest,
        "--size",
        length,
        DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE="not the passphrase",
    )

    assert outcome.code != 0
    assert "passphrase" in outcome.stderr
    assert "not the passphrase" not in outcome.text
    assert "Traceback" not in outcome.text
    assert docker_cli.described(gun)["SignedTags"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "UPPER/Case"),
        ("verify", "127.0.0.1:5000/team/app"),
        ("sign", "127.0.0.1:5000/team/app", "--digest", "sha256:" + "0" * 64, "--size", "1"),
        ("signer", "add", "--key", "absent.pub", "alice", "127.0.0.1:5000/team/app"),
        ("signer", "add", "--key", "absent.pub", "releases", "127.0.0.1:5000/team/app"),
        ("key", "generate", "Not A Name"),
    ],
    ids=["capital letters", "no tag to verify", "no tag to sign", "no key file", "reserved name", "bad key name"],
)
@pytest.mark.parametrize("trust_server", ["notary_server"], indirect=True)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], trustctl: TrustCtl) -> None:
    assert_refused_in_one_sentence(trustctl, *arguments)
    assert list(trustctl.home.rglob("*.key")) == []


def assert_refused_in_one_sentence(trustctl: TrustCtl, *arguments: str) -> None:
    """Non-zero exit, a reason on stderr, no traceback, and nothing a script could take for an answer."""
    outcome = trustctl.run(*arguments).failed()
    assert "Traceback" not in outcome.text, str(outcome)
    assert outcome.stderr.strip(), str(outcome)
    assert outcome.stdout.strip() in {"", "[]"}, str(outcome)
