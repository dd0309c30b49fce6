"""Key files: docker's and notary's open here, ours open there, and both give the same ids."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from signing.trust.errors import WrongPassphrase
from signing.trust.keystore import pem
from signing.trust.tuf.keys import PublicKey
from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, ROOT_PASSPHRASE, DockerCli
from tests.parts.notary_cli import NotaryCli
from tests.parts.ours import OurClient

pytestmark = pytest.mark.parametrize("trust_server", ["notary_server"], indirect=True)


def the_key_file(folder: Path) -> Path:
    (key_file,) = folder.glob("*.key")
    return key_file


def headers_of(key_file: Path) -> dict[str, str]:
    return pem.KeyFile.parse(key_file.read_text()).headers


def copy_key(source: Path, folder: Path, name: str | None = None) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = folder / (name or source.name)
    copy.touch(mode=0o600)
    copy.write_bytes(source.read_bytes())
    return copy


def test_we_open_the_signer_key_docker_made(docker_cli: DockerCli) -> None:
    public = PublicKey.from_pem(docker_cli.generate_key("alice").read_text())
    key_file = the_key_file(docker_cli.private_dir)

    key = pem.decrypt(key_file.read_text(), REPOSITORY_PASSPHRASE)

    assert key.public == public
    assert key.key_id == public.canonical_id == key_file.stem
    assert headers_of(key_file)["role"] == "alice"


def test_a_wrong_passphrase_does_not_open_what_docker_made(docker_cli: DockerCli) -> None:
    docker_cli.generate_key("alice")
    with pytest.raises(WrongPassphrase):
        pem.decrypt(the_key_file(docker_cli.private_dir).read_text(), "not the passphrase")


def test_we_list_and_open_every_key_of_dockers_folder(docker_cli: DockerCli, our_client: OurClient, gun: str) -> None:
    docker_cli.add_signer("alice", docker_cli.generate_key("alice"), gun).succeeded()
    for key_file in docker_cli.private_dir.glob("*.key"):
        copy_key(key_file, our_client.private_dir)

    listed = {(key.role, key.gun): key.key_id for key in our_client.keystore.list()}

    assert set(listed) == {("root", None), ("targets", gun), ("alice", None)}
    for key_id in listed.values():
        assert our_client.keystore.open(key_id).key_id == key_id


def test_we_open_what_notary_exported(
    docker_cli: DockerCli, notary_cli: NotaryCli, our_client: OurClient, tmp_path: Path
) -> None:
    docker_cli.generate_key("alice")
    key_id = the_key_file(docker_cli.private_dir).stem
    copy_key(the_key_file(docker_cli.private_dir), notary_cli.trust_dir / "private")
    exported = tmp_path / "exported.pem"
    notary_cli.run("key", "export", "--key", key_id, "-o", str(exported)).succeeded()

    assert pem.decrypt(exported.read_text(), REPOSITORY_PASSPHRASE).key_id == key_id


def test_docker_takes_the_public_key_we_wrote(our_client: OurClient, docker_cli: DockerCli, gun: str) -> None:
    public_file = our_client.generate_key("alice")
    expected = PublicKey.from_pem(public_file.read_text()).canonical_id

    docker_cli.add_signer("alice", public_file, gun).succeeded()

    (signer,) = docker_cli.described(gun)["Signers"]
    assert signer["Keys"] == [{"ID": expected}]


def test_docker_signs_with_the_private_key_we_wrote(our_client: OurClient, docker_cli: DockerCli, gun: str) -> None:
    docker_cli.add_signer("alice", our_client.generate_key("alice"), gun).succeeded()
    copy_key(the_key_file(our_client.private_dir), docker_cli.private_dir)
    docker_cli.make_image(f"{gun}:v1", "signed with our key")

    docker_cli.sign(f"{gun}:v1").succeeded()

    (tag,) = docker_cli.described(gun)["SignedTags"]
    assert tag["Signers"] == ["alice"]


def test_notary_lists_our_key_and_writes_it_anew(our_client: OurClient, notary_cli: NotaryCli) -> None:
    our_client.generate_key("alice")
    ours = the_key_file(our_client.private_dir)
    theirs = copy_key(ours, notary_cli.trust_dir / "private")

    listed = notary_cli.run("key", "list").succeeded().stdout
    notary_cli.run("key", "passwd", ours.stem).succeeded()

    assert ours.stem in listed
    assert "alice" in listed
    assert theirs.read_text() != ours.read_text()  # another salt at least
    assert pem.decrypt(theirs.read_text(), REPOSITORY_PASSPHRASE).key_id == ours.stem


def test_docker_loads_the_unencrypted_key_a_person_brings_and_so_do_we(docker_cli: DockerCli, tmp_path: Path) -> None:
    brought = tmp_path / "brought.pem"
    brought.touch(mode=0o600)
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", brought], check=True)
    docker_cli.run("trust", "key", "load", "--name", "carol", str(brought)).succeeded()

    ours = pem.decrypt(brought.read_text(), "")

    assert the_key_file(docker_cli.private_dir).stem == ours.key_id


def test_a_root_key_file_of_ours_is_a_root_key_to_docker(
    our_client: OurClient, docker_cli: DockerCli, gun: str
) -> None:
    our_client.add_signer("alice", our_client.generate_key("alice"), gun)
    headers = [headers_of(file) for file in our_client.private_dir.glob("*.key")]
    assert sorted(header["role"] for header in headers) == ["alice", "root", "targets"]
    assert {header["role"]: header.get("gun") for header in headers} == {
        "alice": None,
        "root": None,
        "targets": gun,
    }
    (root_file,) = [file for file in our_client.private_dir.glob("*.key") if "role: root" in file.read_text()]
    root_id = copy_key(root_file, docker_cli.private_dir).stem
    assert pem.decrypt(root_file.read_text(), ROOT_PASSPHRASE).key_id == root_id

    other = f"{gun}/other"
    docker_cli.add_signer("bob", docker_cli.generate_key("bob"), other).succeeded()

    root_files = [file for file in docker_cli.private_dir.glob("*.key") if "role: root" in file.read_text()]
    assert [file.stem for file in root_files] == [root_id]
