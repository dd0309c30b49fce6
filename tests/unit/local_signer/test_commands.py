"""What each command does to the trust folder and the server, and what it says."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signing.trust.errors import ServerUnreachable
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary import client
from tests.simulator import Owner, Simulator
from tests.unit.local_signer.conftest import DIGEST, GUN, OTHER_DIGEST, TrustCtl, real_time
from tests.unit.trust import samples


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# key generate


def test_a_new_key_is_in_dockers_folder_and_its_public_half_where_asked(trustctl: TrustCtl) -> None:
    outcome = trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home))
    (file,) = (trustctl.trust_dir / "private").iterdir()
    public = trustctl.home / "alice.pub"
    assert outcome.stdout.splitlines() == [
        "Generating key for alice...",
        f"Successfully generated and loaded private key. Corresponding public key available: {public}",
    ]
    key = pem.decrypt(file.read_text(), "repository passphrase")
    assert file.name == f"{key.key_id}.key"
    assert pem.KeyFile.parse(file.read_text()).role == "alice"
    assert public.read_text() == pem.public_pem(key, "alice")
    assert [mode(path) for path in (file, file.parent, public)] == [0o600, 0o700, 0o600]


def test_the_public_half_comes_to_the_current_folder(trustctl: TrustCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(trustctl.home)
    made = trustctl.run("key", "generate", "alice", "--json").json
    assert made["public_key"] == str(trustctl.home / "alice.pub")
    assert (trustctl.trust_dir / "private" / f"{made['key_id']}.key").is_file()


def test_nothing_is_made_where_the_public_half_cannot_be_written(trustctl: TrustCtl) -> None:
    (trustctl.home / "alice.pub").write_text("mine")
    assert "exists already" in trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home)).refused()
    assert "no folder" in trustctl.run("key", "generate", "alice", "--dir", str(trustctl.home / "absent")).refused()
    assert not trustctl.trust_dir.exists()
    assert (trustctl.home / "alice.pub").read_text() == "mine"


@pytest.mark.parametrize("name", ["Alice", "releases", "a/b", "../alice", "", "a b", "alice\x1b[31m"])
def test_a_name_no_signer_can_have(trustctl: TrustCtl, name: str) -> None:
    line = trustctl.run("key", "generate", name).refused()
    assert "\x1b" not in line
    assert not trustctl.trust_dir.exists()


# key load, key list


def load(trustctl: TrustCtl, text: str, *options: str, bits: int = 0o600) -> object:
    file = trustctl.home / "key.pem"
    file.write_text(text)
    file.chmod(bits)
    return trustctl.run("key", "load", str(file), "--json", *options)


def test_an_exported_key_is_loaded(trustctl: TrustCtl, environ: pytest.MonkeyPatch) -> None:
    environ.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", samples.REPOSITORY_PASSPHRASE)
    file = trustctl.home / "alice.pem"
    file.write_text((samples.DATA / "keys" / "alice-exported-with-path.pem").read_text())
    file.chmod(0o600)
    assert trustctl.run("key", "load", str(file)).stdout.splitlines()[-1] == f"Successfully imported key from {file}"
    assert trustctl.run("key", "list", "--json").json == [{"key_id": samples.ALICE, "role": "alice", "gun": None}]
    again = trustctl.run("key", "load", str(file))
    assert (again.code, "already" in again.stdout) == (3, True)


def test_an_encrypted_key_without_a_path_is_loaded_too(trustctl: TrustCtl, environ: pytest.MonkeyPatch) -> None:
    """docker says that it did and imports nothing."""
    environ.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", samples.REPOSITORY_PASSPHRASE)
    load(trustctl, samples.private_key(samples.ALICE))
    assert [key["role"] for key in trustctl.run("key", "list", "--json").json] == ["alice"]


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)], ids=["P-384", "RSA"]
)
def test_a_key_of_openssl_gets_the_name_given(trustctl: TrustCtl, key: rsa.RSAPrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    load(trustctl, text, "--name", "carol")
    assert trustctl.run("key", "list", "--json").json == [
        {"key_id": PrivateKey(key).key_id, "role": "carol", "gun": None}
    ]
    (file,) = (trustctl.trust_dir / "private").iterdir()
    assert pem.decrypt(file.read_text(), "repository passphrase").key_id == PrivateKey(key).key_id


def test_a_repository_key_needs_its_repository(trustctl: TrustCtl) -> None:
    key = PrivateKey.generate()
    with_gun = pem.encrypt(key, "", "targets", GUN)
    load(trustctl, with_gun.replace(f"gun: {GUN}\n", ""))
    assert trustctl.run("key", "list", "--json").json == []
    load(trustctl, with_gun)
    assert trustctl.run("key", "list", "--json").json == [{"key_id": key.key_id, "role": "targets", "gun": GUN}]


def test_a_root_key_is_loaded_under_the_root_passphrase(trustctl: TrustCtl) -> None:
    load(trustctl, pem.encrypt(PrivateKey.generate(), "", "root"))
    (file,) = (trustctl.trust_dir / "private").iterdir()
    pem.decrypt(file.read_text(), "root passphrase")


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        (pem.encrypt(PrivateKey.generate(), "", "alice"), 0o644),
        (pem.encrypt(PrivateKey.generate(), "another passphrase", "alice"), 0o600),
        (pem.encrypt(PrivateKey.generate(), "", "Alice"), 0o600),
        (PrivateKey.generate().public.to_pem(), 0o600),
        ("", 0o600),
    ],
    ids=["readable by others", "another passphrase", "a name no signer has", "a public key", "empty"],
)
def test_what_cannot_be_loaded(trustctl: TrustCtl, text: str, bits: int) -> None:
    outcome = load(trustctl, text, bits=bits)
    assert outcome.refused()  # type: ignore[attr-defined]
    assert not (trustctl.trust_dir / "private").exists()


def test_an_empty_list_of_keys_says_what_to_do(trustctl: TrustCtl) -> None:
    assert "trustctl key generate" in trustctl.run("key", "list").stdout


def test_the_list_of_keys_shows_no_control_characters(trustctl: TrustCtl) -> None:
    trustctl.generate("alice")
    (file,) = (trustctl.trust_dir / "private").iterdir()
    file.write_text(file.read_text().replace("role: alice", "role: \x1b[31mroot"))
    assert "\x1b" not in trustctl.run("key", "list").stdout


# signer add


def test_a_signer_of_a_new_repository(trustctl: TrustCtl, simulator: Simulator) -> None:
    public = trustctl.generate("alice")
    outcome = trustctl.run("signer", "add", "--key", str(public), "alice", GUN)
    assert outcome.stdout == (
        f'Adding signer "alice" to {GUN}...\nSuccessfully initialized "{GUN}"\n'
        f"Successfully added signer: alice to {GUN}\n\n"
    )
    assert {key["role"] for key in trustctl.run("key", "list", "--json").json} == {"root", "targets", "alice"}
    assert set(simulator.posted[0]) == {"root", "targets"}


def test_a_second_key_and_a_second_signer(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    keys = [str(trustctl.generate(name)) for name in ("laptop", "token")]
    outcome = trustctl.run("signer", "add", "--key", keys[0], "--key", keys[1], "bob", GUN, "--json")
    (row,) = outcome.json
    assert {name: row[name] for name in ("repository", "signer", "changed", "published")} == {
        "repository": GUN,
        "signer": "bob",
        "changed": True,
        "published": {"targets": 3},
    }
    assert any("targets/bob is delegated to" in text for text in row["changes"])
    signers = {item["Name"]: len(item["Keys"]) for item in trustctl.run("inspect", GUN).json[0]["Signers"]}
    assert signers == {"alice": 1, "bob": 2}


def test_adding_the_same_signer_again_publishes_nothing(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    outcome = trustctl.run("signer", "add", "--key", str(trustctl.home / "alice.pub"), "alice", GUN)
    assert (outcome.code, len(simulator.posted)) == (3, 1)
    assert "Nothing to change" in outcome.stdout


def test_repositories_that_fail_are_named_and_the_others_done(trustctl: TrustCtl, owner: Owner) -> None:
    public, free = str(trustctl.generate("alice")), "registry.example.com/team/free"
    outcome = trustctl.run("signer", "add", "--key", public, "alice", GUN, free)
    assert outcome.code == 1
    assert f"Successfully added signer: alice to {free}" in outcome.stdout
    assert outcome.stderr.splitlines()[-1] == f"failed to add signer to: {GUN}"
    assert "is not at hand" in outcome.stderr, "somebody else's root initialised it"


@pytest.mark.parametrize("name", ["releases", "Alice", "a/b"])
def test_a_signer_nobody_can_be(trustctl: TrustCtl, simulator: Simulator, name: str) -> None:
    public = str(trustctl.generate("alice"))
    trustctl.run("signer", "add", "--key", public, name, GUN).refused()
    assert simulator.asked == []


def test_a_signers_key_that_is_none(trustctl: TrustCtl, simulator: Simulator) -> None:
    private = trustctl.home / "private.pem"
    private.write_text(pem.encrypt(PrivateKey.generate(), "", "alice"))
    assert "Never send a private key" in trustctl.run("signer", "add", "--key", str(private), "alice", GUN).refused()
    trustctl.run("signer", "add", "--key", str(trustctl.home / "absent.pub"), "alice", GUN).refused()
    assert simulator.asked == []


@pytest.mark.parametrize("days", [-4000, 2], ids=["expired", "not valid yet"])
def test_a_signers_certificate_out_of_its_time(trustctl: TrustCtl, simulator: Simulator, days: int) -> None:
    certificate = trustctl.home / "alice.crt"
    made = root_certificate(PrivateKey.generate(), "alice", real_time() + timedelta(days=days))
    certificate.write_bytes(made.public)
    assert "valid from" in trustctl.run("signer", "add", "--key", str(certificate), "alice", GUN).refused()
    assert simulator.asked == []


def test_a_signer_by_certificate(trustctl: TrustCtl) -> None:
    key, certificate = PrivateKey.generate(), trustctl.home / "alice.crt"
    certificate.write_bytes(root_certificate(key, "alice", real_time()).public)
    assert trustctl.run("signer", "add", "--key", str(certificate), "alice", GUN).code == 0
    (signer,) = trustctl.run("inspect", GUN).json[0]["Signers"]
    assert signer == {"Name": "alice", "Keys": [{"ID": key.key_id}]}


# sign


def test_many_tags_are_one_publish(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    outcome = trustctl.sign(*(f"{GUN}:v{number}" for number in range(20)))
    assert outcome.code == 0
    assert outcome.stdout.splitlines()[3] == f"Successfully signed {GUN}:v3 at {DIGEST} by alice"
    assert [set(files) for files in simulator.posted[1:]] == [{"targets/alice", "targets/releases"}]
    assert len(trustctl.run("inspect", GUN).json[0]["SignedTags"]) == 20


def test_signing_what_is_signed_publishes_nothing(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    outcome = trustctl.sign(f"{GUN}:v1", "--json")
    assert (outcome.code, outcome.json[0]["changed"], len(simulator.posted)) == (3, False, 2)
    assert trustctl.sign(f"{GUN}:v1").stdout.startswith("Nothing to change, signed already: ")


def test_tags_of_two_repositories(trustctl: TrustCtl) -> None:
    other = "registry.example.com/team/other"
    trustctl.add_signer("alice", GUN, other)
    rows = trustctl.sign(f"{GUN}:v1", f"{other}:v1", f"{GUN}:v2", "--json").json
    assert [(row["repository"], [tag["tag"] for tag in row["tags"]]) for row in rows] == [
        (GUN, ["v1", "v2"]),
        (other, ["v1"]),
    ]
    assert rows[0]["tags"][0] == {"tag": "v1", "digest": DIGEST, "size": 523, "released": True, "signers": ["alice"]}
    assert rows[0]["published"] == {"targets/alice": 1, "targets/releases": 1}


def test_one_repository_fails_and_the_other_is_signed(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    outcome = trustctl.sign(f"{GUN}:v1", "registry.example.com/team/unknown:v1")
    assert outcome.code == 1
    assert f"Successfully signed {GUN}:v1" in outcome.stdout
    assert outcome.stderr.startswith("registry.example.com/team/unknown: ")


def test_a_signer_who_was_never_approved(trustctl: TrustCtl, owner: Owner, simulator: Simulator) -> None:
    owner.add_signer("bob")
    trustctl.generate("alice")
    posts = len(simulator.posted)
    assert "Ask for the signer to be added" in trustctl.sign(f"{GUN}:v1").refused()
    assert len(simulator.posted) == posts


def test_a_wrong_passphrase_signs_nothing(
    trustctl: TrustCtl, environ: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    trustctl.add_signer("alice")
    environ.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "another")
    line = trustctl.sign(f"{GUN}:v1").refused()
    assert "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE" in line
    assert "another" not in line.partition("does not open")[2]
    assert len(simulator.posted) == 1


@pytest.mark.parametrize(
    "name", [GUN, f"{GUN}@{DIGEST}", f"{GUN}:v1@{DIGEST}", f"{GUN}:", "UPPER/Case:v1", f"{GUN}:\x1b[31m", "a" * 64]
)
def test_names_that_cannot_be_signed(trustctl: TrustCtl, simulator: Simulator, name: str) -> None:
    assert "\x1b" not in trustctl.sign(name).refused()
    assert simulator.asked == []


@pytest.mark.parametrize("digest", ["sha256:short", "ab" * 32, "sha512:" + "ab" * 64])
def test_a_digest_that_is_none(trustctl: TrustCtl, digest: str) -> None:
    trustctl.sign(f"{GUN}:v1", digest=digest).refused()


# inspect


def test_inspect_has_the_shape_docker_prints(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    trustctl.add_signer("bob")
    trustctl.sign(f"{GUN}:v1")
    described = trustctl.run("inspect", GUN)
    expected = json.loads((samples.DATA / "output" / "inspect-tag.json").read_text())
    assert [list(item) for item in described.json] == [list(item) for item in expected]
    assert described.stdout.startswith('[\n    {\n        "Name": "')
    assert described.stderr == ""


def test_inspect_goes_on_after_an_image_that_does_not_verify(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    outcome = trustctl.run("inspect", "registry.example.com/team/unknown", GUN)
    assert outcome.code == 1
    assert [item["Name"] for item in outcome.json] == [GUN]
    assert outcome.stderr.startswith("registry.example.com/team/unknown: ")


def test_inspect_of_an_unknown_repository_prints_an_empty_list(trustctl: TrustCtl) -> None:
    outcome = trustctl.run("inspect", GUN)
    assert (outcome.code, outcome.stdout) == (1, "[]\n")


def test_inspect_does_not_answer_from_memory(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    assert trustctl.run("inspect", GUN).code == 0
    simulator.fault = ServerUnreachable("The server sleeps.")
    outcome = trustctl.run("inspect", GUN)
    assert (outcome.code, outcome.stdout) == (1, "[]\n")
    assert "The server sleeps." in outcome.stderr


def test_inspect_tells_of_a_delegation_that_does_not_count(trustctl: TrustCtl, owner: Owner) -> None:
    owner.add_signer("bob")
    owner.sign("v1", DIGEST, "bob")
    past = real_time() - timedelta(days=1)
    owner.put({"targets/bob": owner.next_file("targets/bob", expires=past)})
    outcome = trustctl.run("inspect", GUN)
    assert outcome.code == 1
    assert outcome.json[0]["SignedTags"][0]["Signers"] == ["Repo Admin"]
    assert "targets/bob" in outcome.stderr


def test_inspect_of_a_digest(trustctl: TrustCtl) -> None:
    assert "digest" in trustctl.run("inspect", f"{GUN}@{DIGEST}").stderr


def test_a_changed_file_is_named(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    data = simulator.said(GUN, "targets/releases")
    for name in list(simulator.files[GUN]):
        if name.startswith("targets/releases."):
            simulator.lies[name] = data.replace(b'"length":523', b'"length":524')
    (trustctl.trust_dir / "tuf").rename(trustctl.home / "remembered")
    client.resident.clear()  # a process of its own remembers nothing
    assert "targets/releases" in trustctl.run("inspect", GUN).stderr


# verify


def test_verify_prints_the_digest_and_nothing_else(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    outcome = trustctl.run("verify", f"{GUN}:v1")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, f"{DIGEST}\n", "")
    assert trustctl.run("verify", f"{GUN}:v1", "--digest", DIGEST, "--json").json == {
        "repository": GUN,
        "tag": "v1",
        "digest": DIGEST,
        "size": 523,
        "signers": ["alice"],
        "root": "first use",
    }


def test_a_pinned_root_is_the_only_one(trustctl: TrustCtl, tmp_path: Path) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    (root, _) = trustctl.run("inspect", GUN).json[0]["AdministrativeKeys"]
    pins = tmp_path / "pins.json"
    for key_id, anchor in ((root["Keys"][0]["ID"], "pinned key"), ("0" * 64, None)):
        pins.write_text(json.dumps({"trust_pinning": {"certs": {GUN: [key_id]}}}))
        outcome = trustctl.run("verify", f"{GUN}:v1", "--json", "--config", str(pins))
        assert outcome.json.get("root") == anchor
        assert (outcome.code == 0) == (anchor is not None)
    pins.rename(trustctl.trust_dir / "config.json")
    assert trustctl.run("verify", f"{GUN}:v1").code == 1, "the trust folder's own pins count without being asked for"


def test_verify_refuses(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    for arguments in (
        [f"{GUN}:unsigned"],
        [f"{GUN}:v1", "--digest", OTHER_DIGEST],
        [f"{GUN}:v1", "--digest", "nonsense"],
        [GUN],
        [f"{GUN}@{DIGEST}"],
        ["registry.example.com/team/unknown:v1"],
    ):
        outcome = trustctl.run("verify", *arguments)
        assert outcome.refused()
        assert outcome.stdout == ""


def test_releases_win_over_the_repository_key_as_in_docker_pull(trustctl: TrustCtl, owner: Owner) -> None:
    owner.add_signer("bob")
    owner.sign("v1", OTHER_DIGEST)
    owner.sign("v1", DIGEST, "bob")
    owner.sign("v0", OTHER_DIGEST)
    assert trustctl.run("verify", f"{GUN}:v1").stdout == f"{DIGEST}\n"
    assert trustctl.run("verify", f"{GUN}:v0").stdout == f"{OTHER_DIGEST}\n"


def test_a_signers_own_signature_releases_nothing(trustctl: TrustCtl, owner: Owner) -> None:
    owner.add_signer("bob")
    owner.add_target("targets/bob", "v1", DIGEST)
    owner.publish({"targets/bob": owner.next_file("targets/bob")})
    assert "bob signed it" in trustctl.run("verify", f"{GUN}:v1").refused()


def test_an_older_digest_does_not_stand_in_for_expired_releases(trustctl: TrustCtl, owner: Owner) -> None:
    """docker pull would take the repository key's older digest without a word."""
    owner.add_signer("bob")
    owner.sign("v1", OTHER_DIGEST)
    owner.sign("v1", DIGEST, "bob")
    owner.put({"targets/releases": owner.next_file("targets/releases", expires=real_time() - timedelta(days=1))})
    outcome = trustctl.run("verify", f"{GUN}:v1")
    assert "expired" in outcome.refused()
    assert outcome.stdout == ""
