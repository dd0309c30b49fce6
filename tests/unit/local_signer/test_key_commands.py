"""Move, remove, re-encrypt and certify keys, and rotate them."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.keys import PublicKey
from tests.simulator import Owner, Simulator
from tests.unit.local_signer.conftest import GUN, TrustCtl, real_time
from tests.unit.trust import samples


def roles(trustctl: TrustCtl) -> list[str]:
    return sorted(key["role"] for key in trustctl.run("key", "list", "--json").json)


def key_id(trustctl: TrustCtl, role: str) -> str:
    (found,) = [key["key_id"] for key in trustctl.run("key", "list", "--json").json if key["role"] == role]
    return str(found)


# export, import


def test_an_exported_key_is_what_notary_exports(trustctl: TrustCtl) -> None:
    folder = trustctl.trust_dir / "private"
    folder.mkdir(parents=True)
    (folder / f"{samples.ALICE}.key").write_text(samples.private_key(samples.ALICE))
    (folder / f"{samples.ALICE}.key").chmod(0o600)
    exported = (samples.DATA / "keys" / "alice-exported-with-path.pem").read_text()
    assert trustctl.run("key", "export", samples.ALICE[:12]).stdout == exported


def test_keys_move_to_another_folder_with_their_passphrases(
    trustctl: TrustCtl, environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trustctl.add_signer("alice")
    before = trustctl.run("key", "list", "--json").json
    file = tmp_path / "keys.pem"
    assert trustctl.run("key", "export", "--output", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    environ.delenv("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE")
    environ.delenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE")
    elsewhere = ["--trust-dir", str(tmp_path / "elsewhere")]
    assert trustctl.run("key", "import", str(file), *elsewhere).code == 0
    assert trustctl.run("key", "list", "--json", *elsewhere).json == before
    again = trustctl.run("key", "import", str(file), "--json", *elsewhere)
    assert (again.code, {row["changed"] for row in again.json}) == (3, {False})
    for path in (tmp_path / "elsewhere" / "private").iterdir():
        assert path.read_text() == (trustctl.trust_dir / "private" / path.name).read_text()


def test_some_keys_are_exported(trustctl: TrustCtl, tmp_path: Path) -> None:
    trustctl.add_signer("alice", GUN, "registry.example.com/team/other")
    outcome = trustctl.run("key", "export", "--gun", GUN, "-o", str(tmp_path / "a.pem"), "--json")
    assert len(outcome.json["key_ids"]) == 1
    assert trustctl.run("key", "export", "alice").stdout.count("BEGIN") == 1
    assert "exists already" in trustctl.run("key", "export", "-o", str(tmp_path / "a.pem")).refused()
    trustctl.run("key", "export", "nobody").refused()


def test_a_plain_key_is_imported_under_a_passphrase(trustctl: TrustCtl, tmp_path: Path) -> None:
    file = tmp_path / "plain.pem"
    file.write_text(pem.encrypt(PrivateKey.generate(), "", "alice") + pem.encrypt(PrivateKey.generate(), "", "bob"))
    file.chmod(0o600)
    assert trustctl.run("key", "import", str(file)).code == 0
    assert roles(trustctl) == ["alice", "bob"]
    for path in (trustctl.trust_dir / "private").iterdir():
        pem.decrypt(path.read_text(), "repository passphrase")


# remove, passwd


def test_a_removed_key_is_gone(trustctl: TrustCtl) -> None:
    trustctl.generate("alice")
    trustctl.generate("bob")
    assert "--yes" in trustctl.run("key", "remove", "alice").refused()
    assert trustctl.run("key", "remove", "alice", "--yes").code == 0
    assert roles(trustctl) == ["bob"]
    assert "no key" in trustctl.run("key", "remove", "alice", "--yes").refused()


def test_a_name_that_fits_two_keys(trustctl: TrustCtl) -> None:
    trustctl.generate("alice")
    (trustctl.home / "alice.pub").unlink()
    trustctl.generate("alice")
    assert "Several keys fit" in trustctl.run("key", "remove", "alice", "--yes").refused()
    assert roles(trustctl) == ["alice", "alice"]


def test_a_passphrase_is_changed(trustctl: TrustCtl, environ: pytest.MonkeyPatch) -> None:
    trustctl.generate("alice")
    assert "TRUSTCTL_NEW_PASSPHRASE" in trustctl.run("key", "passwd", "alice").refused()
    environ.setenv("TRUSTCTL_NEW_PASSPHRASE", "another passphrase")
    assert trustctl.run("key", "passwd", "alice").code == 0
    (file,) = (trustctl.trust_dir / "private").iterdir()
    pem.decrypt(file.read_text(), "another passphrase")
    assert "passphrase" in trustctl.run("key", "passwd", "alice").refused()


# csr, certificate


class Authority:
    """A certificate authority."""

    def __init__(self, name: str = "Example CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._issue(self.name, self.key.public_key())

    def certify(self, request: str) -> str:
        asked = x509.load_pem_x509_csr(request.encode())
        assert asked.is_signature_valid
        return self._issue(asked.subject, asked.public_key()).public_bytes(Encoding.PEM).decode()

    def _issue(self, subject: x509.Name, key: object) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(real_time() - timedelta(hours=1))
            .not_valid_after(real_time() + timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def test_from_a_request_to_a_signer_with_a_certificate(trustctl: TrustCtl, tmp_path: Path) -> None:
    trustctl.generate("alice")
    authority, sent = Authority(), tmp_path / "sent.pem"
    request = trustctl.run("key", "csr", "alice", "--common-name", "alice@example.com").stdout
    sent.write_text(authority.certify(request) + authority.pem)
    kept = trustctl.run("key", "certificate", "alice", str(sent), "--dir", str(tmp_path), "--json").json
    assert trustctl.run("signer", "add", "--key", kept["file"], "alice", GUN).code == 0
    assert trustctl.sign(f"{GUN}:v1").code == 0
    (signer,) = trustctl.run("inspect", GUN).json[0]["Signers"]
    assert signer == {"Name": "alice", "Keys": [{"ID": key_id(trustctl, "alice")}]}
    assert PublicKey.from_pem(Path(kept["file"]).read_bytes()).key_id == kept["certificate_id"]


@pytest.mark.parametrize("wrong", ["another key", "a broken chain", "no certificate"])
def test_what_an_authority_must_not_send(trustctl: TrustCtl, tmp_path: Path, wrong: str) -> None:
    public, authority, sent = trustctl.generate("alice"), Authority(), tmp_path / "sent.pem"
    trustctl.generate("bob")
    texts = {
        "another key": authority.certify(trustctl.run("key", "csr", "bob").stdout),
        "a broken chain": authority.certify(trustctl.run("key", "csr", "alice").stdout) + Authority("Other CA").pem,
        "no certificate": public.read_text(),
    }
    sent.write_text(texts[wrong])
    trustctl.run("key", "certificate", "alice", str(sent), "--dir", str(tmp_path)).refused()
    assert not (tmp_path / "alice.crt").exists()


# rotate


def test_the_repository_key_is_rotated_and_the_old_one_deleted(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    old = key_id(trustctl, "targets")
    outcome = trustctl.run("key", "rotate", GUN, "targets", "--json")
    (row,) = outcome.json
    assert row["deleted_keys"] == [old]
    assert row["published"] == {"root": 2, "targets": 3}
    assert key_id(trustctl, "targets") != old
    assert trustctl.sign(f"{GUN}:v1").code == 0


def test_the_root_key_is_rotated_and_the_old_one_kept(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    old = key_id(trustctl, "root")
    assert "--yes" in trustctl.run("key", "rotate", GUN, "root").stderr
    outcome = trustctl.run("key", "rotate", GUN, "root", "--yes")
    assert (outcome.code, outcome.stdout.splitlines()[0].startswith("The root key is ")) == (0, True)
    assert roles(trustctl).count("root") == 2
    assert old in {key["key_id"] for key in trustctl.run("key", "list", "--json").json}


@pytest.mark.parametrize("role", ["snapshot", "timestamp"])
def test_the_servers_key_is_rotated(trustctl: TrustCtl, role: str) -> None:
    trustctl.add_signer("alice")
    outcome = trustctl.run("key", "rotate", GUN, role, "--to-server")
    assert outcome.stdout.startswith(f"The {role} key is ")


def test_a_signers_key_is_rotated(trustctl: TrustCtl, simulator: Simulator) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    old = key_id(trustctl, "alice")
    (row,) = trustctl.run("key", "rotate", GUN, "alice", "--json").json
    assert set(row["published"]) == {"targets", "targets/alice", "targets/releases"}
    (signer,) = trustctl.run("inspect", GUN).json[0]["Signers"]
    assert [key["ID"] for key in signer["Keys"]] == row["key_ids"] != [old]
    assert trustctl.run("verify", f"{GUN}:v1").code == 0


def test_a_signers_key_is_replaced_by_a_given_one(trustctl: TrustCtl) -> None:
    trustctl.add_signer("alice")
    trustctl.sign(f"{GUN}:v1")
    laptop = trustctl.generate("laptop")
    (trustctl.trust_dir / "private" / f"{key_id(trustctl, 'laptop')}.key").unlink()
    outcome = trustctl.run("key", "rotate", GUN, "alice", "-k", str(laptop))
    assert outcome.code == 1
    assert "--force" in outcome.stderr
    assert "v1" in outcome.stderr


def test_rotating_what_is_somebody_elses(trustctl: TrustCtl, owner: Owner) -> None:
    owner.add_signer("alice")
    for role in ("targets", "alice"):
        assert "not at hand" in trustctl.run("key", "rotate", GUN, role).refused()
    assert roles(trustctl) == []
