"""Archives of real servers: complete, provable after the server is gone, and readable by docker and notary again."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signing.local_signer.archive import account
from signing.trust.evidence.polite import Politeness
from tests.parts.builtin_server import BuiltinServer
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.notary_cli import NotaryCli
from tests.parts.notary_server import NotaryServer
from tests.parts.ports import free_port
from tests.parts.trustctl import TrustCtl
from trustui.embedded.processes import Process, accepts


@pytest.fixture(params=[NotaryServer, BuiltinServer], ids=["notary-server", "built-in"])
def mortal_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotaryServer | BuiltinServer]:
    """A trust server of this test alone, for the test ends it."""
    server = request.param(tmp_path / "mortal")
    try:
        yield server.start()
    finally:
        server.stop()


def digest_of(docker: DockerCli, name: str) -> dict[str, str]:
    return {tag["SignedTag"]: tag["Digest"] for tag in docker.described(name)["SignedTags"]}


def sign(docker: DockerCli, reference: str, content: str) -> str:
    """Sign an image by docker, whatever the tag meant before, and give its digest."""
    docker.make_image(reference, content)
    docker.run("trust", "sign", "--local", reference).succeeded()
    gun, _, tag = reference.rpartition(":")
    return digest_of(docker, gun)[tag]


class Script:
    """What the people of a repository did, in order, and what each digest was."""

    def __init__(self, docker: DockerCli, notary: NotaryCli, gun: str) -> None:
        shared = replace(notary, trust_dir=docker.trust_dir)
        docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
        self.first = sign(docker, f"{gun}:v1", "first")
        self.second = sign(docker, f"{gun}:v1", "second")
        self.other = sign(docker, f"{gun}:v2", "other")
        docker.run("trust", "revoke", "--yes", f"{gun}:v2").succeeded()
        docker.add_signer("bob", docker.generate_key("bob"), gun).succeeded()
        docker.run("trust", "sign", f"{gun}:v1").succeeded()
        self.old_root = root_key(docker, gun)
        shared.rotate(gun, "root").succeeded()
        shared.rotate(gun, "snapshot", to_server=True).succeeded()
        shared.run("delegation", "remove", gun, "targets/bob", "--yes", "-p").succeeded()

    def events(self) -> list[tuple[str, ...]]:
        return [
            ("initialised",),
            ("signer added", "alice"),
            ("signed", "v1", self.first, "alice"),
            ("signed", "v1", self.second, "alice"),
            ("signed", "v2", self.other, "alice"),
            ("revoked", "v2", self.other, "alice"),
            ("signer added", "bob"),
            ("signed", "v1", self.second, "bob"),
            ("key rotated", "root"),
            ("key rotated", "snapshot"),
            ("signer removed", "bob"),
        ]


def root_key(docker: DockerCli, gun: str) -> str:
    keys = {item["Name"]: item["Keys"] for item in docker.described(gun)["AdministrativeKeys"]}
    return str(keys["Root"][0]["ID"])


def told(events: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    names = ("kind", "tag", "digest", "signer", "role")
    return [tuple(str(event[name]).removeprefix("sha256:") for name in names if name in event) for event in events]


def verified(trustctl: TrustCtl, archive: Path, *arguments: str) -> dict[str, Any]:
    (repository,) = json.loads(
        trustctl.run("archive", "verify", "--json", "--events", str(archive), *arguments).succeeded().stdout
    )["repositories"]
    assert isinstance(repository, dict)
    return repository


def test_the_timeline_of_the_archive_is_the_script_of_what_people_did(
    docker_cli: DockerCli, notary_cli: NotaryCli, trustctl: TrustCtl, gun: str, tmp_path: Path
) -> None:
    script = Script(docker_cli, notary_cli, gun)
    archive = tmp_path / "trust.archive"

    trustctl.run("archive", "take", str(archive), gun, "--rate", "1000").succeeded()

    repository = verified(trustctl, archive, "--root-key-id", script.old_root)
    assert told(repository["events"]) == script.events()
    assert repository["pinned"]
    assert not repository["lost_by_server"]
    assert [(row["tag"], row["signer"], row["to"] is None) for row in repository["tags"]] == [
        ("v1", "alice", False),
        ("v1", "alice", True),
        ("v2", "alice", False),
        ("v1", "bob", False),
    ]
    assert all(row["from_recorded"] for row in repository["tags"]), "the changefeed tells when each was taken"


def test_the_archive_proves_what_a_deleted_notary_once_said(
    mortal_server: NotaryServer | BuiltinServer, engine: Engine, registry: Registry, gun: str, tmp_path: Path
) -> None:
    docker = DockerCli(
        program=require_docker(),
        home=tmp_path / "docker",
        engine=engine.url,
        registry=registry.host,
        trust_url=mortal_server.url,
        ca_pem=mortal_server.ca_pem,
    )
    trustctl = TrustCtl(tmp_path / "trustctl", mortal_server.url, mortal_server.ca_file)
    docker.add_signer("alice", docker.generate_key("alice"), gun).succeeded()
    digest = sign(docker, f"{gun}:v1", "kept")
    root = root_key(docker, gun)
    archive = tmp_path / "trust.archive"
    trustctl.run("archive", "take", str(archive), gun).succeeded()

    mortal_server.stop()

    claim = ["--root-key-id", root, "--digest", f"sha256:{digest}", "--signer", "alice"]
    proof = trustctl.run("archive", "verify", str(archive), f"{gun}:v1", *claim).succeeded()
    assert "PROVEN" in proof.stdout
    for wrong in (
        ["--root-key-id", "ab" * 32],
        ["--root-key-id", root, "--digest", "sha256:" + "cd" * 32],
        ["--root-key-id", root, "--signer", "mallory"],
    ):
        trustctl.run("archive", "verify", str(archive), f"{gun}:v1", *wrong).failed()
    damaged = bytearray(archive.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    archive.write_bytes(damaged)
    assert "json" in trustctl.run("archive", "verify", str(archive), gun, *claim).failed().text


def test_a_second_run_adds_what_is_new_and_keeps_the_rest(
    docker_cli: DockerCli, trustctl: TrustCtl, gun: str, tmp_path: Path
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    archive = tmp_path / "trust.archive"
    trustctl.run("archive", "take", str(archive), gun).succeeded()
    digest = sign(docker_cli, f"{gun}:v1", "later")

    trustctl.run("archive", "take", str(archive)).succeeded()

    repository = verified(trustctl, archive)
    assert told(repository["events"]) == [
        ("initialised",),
        ("signer added", "alice"),
        ("signed", "v1", digest, "alice"),
    ]
    assert not archive.with_name("trust.archive.part").exists()


def test_a_whole_account_is_archived_by_the_registry_s_own_list(
    docker_cli: DockerCli, trustctl: TrustCtl, gun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = gun.rpartition("/")[0]
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun, f"{team}/deep/tool").succeeded()
    for name in (gun, f"{team}/deep/tool"):
        sign(docker_cli, f"{name}:v1", name)
    docker_cli.make_image(f"{team}/unsigned:v1", "unsigned")
    docker_cli.push(f"{team}/unsigned:v1")
    archive = tmp_path / "team.archive"

    told = trustctl.run("archive", "--from-account", team, "-o", str(archive), "--json").succeeded().stdout

    assert [row["repository"] for row in json.loads(told)["repositories"]] == [gun, f"{team}/deep/tool"]
    assert json.loads(told)["without_trust_data"] == [f"{team}/unsigned"]
    for name in (gun, f"{team}/deep/tool"):
        trustctl.run("archive", "verify", str(archive), f"{name}:v1", "--signer", "alice").succeeded()
    monkeypatch.setattr(account, "PAGE_SIZE", 1)
    listed = account.repositories_of(account.RegistryAccount.parse(team), None, Politeness(10_000))
    assert listed == [gun, f"{team}/deep/tool", f"{team}/unsigned"], "page by page"


def test_docker_s_own_folder_is_archived_without_a_server_and_without_a_private_byte(
    docker_cli: DockerCli, trustctl: TrustCtl, gun: str, tmp_path: Path
) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    digest = sign(docker_cli, f"{gun}:v1", "remembered")
    before = {path: path.read_bytes() for path in docker_cli.trust_dir.rglob("*") if path.is_file()}
    archive = tmp_path / "trust.archive"

    trustctl.run(
        "archive", "take", str(archive), "--from-trust-dir", str(docker_cli.trust_dir), "--offline"
    ).succeeded()

    proof = trustctl.run("archive", "verify", str(archive), f"{gun}:v1", "--digest", f"sha256:{digest}").succeeded()
    assert "alice" in proof.stdout
    assert before == {path: path.read_bytes() for path in docker_cli.trust_dir.rglob("*") if path.is_file()}
    whole = archive.read_bytes()
    assert b"PRIVATE" not in whole
    for key_file in docker_cli.private_dir.glob("*.key"):
        body = "".join(line for line in key_file.read_text().splitlines() if "-" not in line and ":" not in line)
        assert body[:60].encode() not in whole


@contextlib.contextmanager
def served(trustctl: TrustCtl, archive: Path) -> Iterator[tuple[str, Path]]:
    """Serve an archive and give the address and the certificate."""
    port, certificate = free_port(), archive.with_suffix(".crt")
    argv = [sys.executable, "-m", "signing.local_signer.main", "archive", "serve", str(archive), "--port", str(port)]
    process = Process(
        "archive", [*argv, "--write-ca", str(certificate)], env=trustctl.environment, log=archive.with_suffix(".log")
    ).start()
    try:
        process.wait_ready(lambda: accepts(port), 20)
        yield f"https://127.0.0.1:{port}", certificate
    finally:
        process.stop()


def test_docker_notary_and_trustctl_read_an_archive_that_is_served(
    docker_cli: DockerCli, notary_cli: NotaryCli, trustctl: TrustCtl, gun: str, tmp_path: Path
) -> None:
    script = Script(docker_cli, notary_cli, gun)
    expected = docker_cli.inspect(gun).succeeded().stdout
    expected_pretty = docker_cli.inspect_pretty(gun).succeeded().stdout
    expected_list = notary_cli.list(gun)
    behind = replace(notary_cli, trust_dir=tmp_path / "behind")
    archive = tmp_path / "trust.archive"
    trustctl.run("archive", "take", str(archive), gun, "--rate", "1000").succeeded()

    with served(trustctl, archive) as (url, certificate):
        reader = replace(
            docker_cli, home=tmp_path / "reader", trust_url=url, ca_pem=certificate.read_text(), username="reader"
        )
        assert reader.inspect(gun).succeeded().stdout == expected
        assert reader.inspect_pretty(gun).succeeded().stdout == expected_pretty
        assert replace(behind, url=url, ca_file=certificate).list(gun) == expected_list
        ours = trustctl.run("inspect", "--server", url, "--ca", str(certificate), gun).succeeded()
        assert ours.stdout == expected
        docker_cli.forget_image(f"{gun}:v1")
        reader.pull_trusted(f"{gun}:v1").succeeded()
        reader.add_signer("mallory", reader.generate_key("mallory"), gun).failed()
        again = tmp_path / "again.archive"
        trustctl.run(
            "archive", "take", str(again), gun, "--server", url, "--ca", str(certificate), "--rate", "1000"
        ).succeeded()
    first, second = (verified(trustctl, path, "--root-key-id", script.old_root) for path in (archive, again))
    assert {**first, "server": "", "taken": ""} == {**second, "server": "", "taken": ""}


def test_what_was_restored_is_followed_by_clients_that_remember_the_old_server(
    mortal_server: NotaryServer | BuiltinServer,
    docker_cli: DockerCli,
    notary_cli: NotaryCli,
    trustctl: TrustCtl,
    gun: str,
    tmp_path: Path,
) -> None:
    """From each server to each other: the root's holder restores, and nobody's memory stands in the way."""
    Script(docker_cli, notary_cli, gun)
    expected = json.loads(docker_cli.inspect(gun).succeeded().stdout)[0]
    remembering = replace(notary_cli, trust_dir=tmp_path / "remembering")
    listed = remembering.list(gun)
    archive = tmp_path / "trust.archive"
    trustctl.run("archive", "take", str(archive), gun, "--rate", "1000").succeeded()
    there = ["--server", mortal_server.url, "--ca", str(mortal_server.ca_file)]
    stranger = trustctl.run("archive", "restore", str(archive), *there).failed()
    assert "root" in stranger.stderr

    trustctl.run("archive", "restore", str(archive), *there, "--trust-dir", str(docker_cli.trust_dir)).succeeded()

    moved = replace(docker_cli, trust_url=mortal_server.url, ca_pem=mortal_server.ca_pem)
    assert moved.described(gun) == expected
    assert replace(remembering, url=mortal_server.url, ca_file=mortal_server.ca_file).list(gun) == listed
    moved.make_image(f"{gun}:v3", "after the move")
    moved.sign(f"{gun}:v3").succeeded()
    again = trustctl.run("archive", "restore", str(archive), *there, "--trust-dir", str(docker_cli.trust_dir)).failed()
    assert "already" in again.stderr
