"""Key files both ways: docker's open here, ours have docker's exact structure."""

from __future__ import annotations

import base64
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.trust.errors import InvalidKey, InvalidName, WrongPassphrase
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from tests.unit.trust import samples

P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
KEYS = {
    "P-256": P256,
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "RSA": RSA,
    "Ed25519": ED25519,
}
TRADITIONAL, PKCS8 = serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8
NO_PASSPHRASE = serialization.NoEncryption()


def content(text: str) -> bytes:
    """Give the DER in a key file."""
    body = text.split("\n\n", 1)[1].split("-----END", 1)[0]
    return base64.b64decode("".join(body.split()))


def structure(der: bytes) -> bytes:
    """Blank out what differs from file to file: salt, initialisation vector and ciphertext."""
    salt = der.index(b"\x04\x08") + 2
    vector = der.index(b"\x04\x10", salt + 8) + 2  # not in the salt
    sealed = vector + 16
    return der[:salt] + b"s" * 8 + der[salt + 8 : vector] + b"v" * 16 + der[sealed : sealed + 3]


@pytest.mark.parametrize(("key_id", "owner"), samples.PRIVATE_KEYS.items())
def test_key_files_of_docker(key_id: str, owner: tuple[str, str | None]) -> None:
    file = pem.KeyFile.parse(samples.private_key(key_id))
    assert (file.role, file.gun, file.is_encrypted) == (*owner, True)
    assert file.open(samples.passphrase_of(owner[0])).key_id == key_id


@pytest.mark.parametrize(("key_id", "owner"), samples.PRIVATE_KEYS.items())
def test_our_files_differ_from_dockers_in_salt_vector_and_ciphertext_only(
    key_id: str, owner: tuple[str, str | None]
) -> None:
    theirs, passphrase = samples.private_key(key_id), samples.passphrase_of(owner[0])
    ours = pem.encrypt(pem.decrypt(theirs, passphrase), passphrase, *owner)
    assert ours.partition("\n\n")[0] == theirs.partition("\n\n")[0]
    assert [len(line) for line in ours.splitlines()] == [len(line) for line in theirs.splitlines()]
    assert pem._decrypt(content(ours), passphrase) == pem._decrypt(content(theirs), passphrase)
    assert structure(content(ours)) == structure(content(theirs))


def test_an_exported_file_with_a_path_header() -> None:
    file = pem.KeyFile.parse((samples.DATA / "keys" / "alice-exported-with-path.pem").read_text())
    assert (file.role, file.headers["path"]) == ("alice", samples.ALICE)
    assert file.open(samples.REPOSITORY_PASSPHRASE).key_id == samples.ALICE


@pytest.mark.parametrize("passphrase", ["", "wrong", "repopass1 ", "REPOPASS1", "é", "x" * 10_000])
def test_a_wrong_passphrase(passphrase: str) -> None:
    with pytest.raises(WrongPassphrase):
        pem.decrypt(samples.private_key(samples.ALICE), passphrase)


@pytest.mark.parametrize("passphrase", ["", "p", "pässwörd ünïcode", "with\nline end", "x" * 1000])
@pytest.mark.parametrize("name", KEYS)
def test_every_kind_of_key_survives(name: str, passphrase: str) -> None:
    key = PrivateKey(KEYS[name])
    text = pem.encrypt(key, passphrase, "alice")
    assert pem.KeyFile.parse(text).is_encrypted == bool(passphrase)
    assert pem.decrypt(text, passphrase).public == key.public


def test_two_files_of_one_key_differ() -> None:
    key = PrivateKey(P256)
    assert pem.encrypt(key, "passphrase", "alice") != pem.encrypt(key, "passphrase", "alice")


@pytest.mark.parametrize(
    ("role", "gun", "head"),
    [
        ("root", None, "role: root"),
        ("root", samples.GUN, "role: root"),
        ("targets", samples.GUN, f"gun: {samples.GUN}\nrole: targets"),
        ("snapshot", samples.GUN, f"gun: {samples.GUN}\nrole: snapshot"),
        ("alice", samples.GUN, "role: alice"),
        ("targets/releases", samples.GUN, "role: targets/releases"),
    ],
)
def test_headers(role: str, gun: str | None, head: str) -> None:
    lines = pem.encrypt(PrivateKey(P256), "passphrase", role, gun).partition("\n")[2].partition("\n\n")[0]
    assert lines == head


@pytest.mark.parametrize(
    ("role", "gun"), [("alice\npath: x", None), ("alice\r", None), ("targets", "a\nrole: root"), ("a\0", None)]
)
def test_a_name_cannot_add_headers(role: str, gun: str | None) -> None:
    with pytest.raises(InvalidName):
        pem.encrypt(PrivateKey(P256), "passphrase", role, gun)


@pytest.mark.parametrize("name", ["P-256", "P-384", "P-521", "RSA"])
@pytest.mark.parametrize("form", [TRADITIONAL, PKCS8], ids=["traditional", "pkcs8"])
def test_unencrypted_files_of_other_tools(name: str, form: serialization.PrivateFormat) -> None:
    text = KEYS[name].private_bytes(serialization.Encoding.PEM, form, NO_PASSPHRASE).decode()
    assert pem.decrypt(text, "").public == PrivateKey(KEYS[name]).public


@pytest.mark.parametrize("name", ["P-256", "RSA"])
def test_files_with_legacy_encryption(name: str) -> None:
    best = serialization.BestAvailableEncryption(b"passphrase")
    text = KEYS[name].private_bytes(serialization.Encoding.PEM, TRADITIONAL, best).decode()
    assert "DEK-Info" in text
    assert pem.KeyFile.parse(text).is_encrypted
    assert pem.decrypt(text, "passphrase").public == PrivateKey(KEYS[name]).public
    for wrong in ("", "another"):
        with pytest.raises(WrongPassphrase):
            pem.decrypt(text, wrong)


def test_the_curve_may_stand_outside_only() -> None:
    """OpenSSL and many others leave it out of the inner key."""
    whole = P256.private_bytes(serialization.Encoding.DER, PKCS8, NO_PASSPHRASE)
    assert whole.count(bytes.fromhex("2a8648ce3d030107")) == 1, "this library writes it once too"
    text = "-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(whole).decode() + "-----END PRIVATE KEY-----\n"
    assert pem.decrypt(text, "").public == PrivateKey(P256).public


def test_a_file_with_other_blocks_and_windows_line_ends() -> None:
    text = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    text += P256.private_bytes(serialization.Encoding.PEM, TRADITIONAL, NO_PASSPHRASE).decode()
    assert pem.decrypt(text.replace("\n", "\r\n"), "").public == PrivateKey(P256).public


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(65537, 1024), dsa.generate_private_key(2048), ec.generate_private_key(ec.SECP224R1())],
    ids=["RSA 1024", "DSA", "P-224"],
)
@pytest.mark.parametrize("form", [TRADITIONAL, PKCS8], ids=["traditional", "pkcs8"])
def test_weak_and_unknown_keys(key: rsa.RSAPrivateKey, form: serialization.PrivateFormat) -> None:
    text = key.private_bytes(serialization.Encoding.PEM, form, NO_PASSPHRASE).decode()
    with pytest.raises(InvalidKey):
        pem.decrypt(text, "")


def test_the_usual_form_of_ed25519_is_refused_as_docker_does() -> None:
    text = ED25519.private_bytes(serialization.Encoding.PEM, PKCS8, NO_PASSPHRASE).decode()
    with pytest.raises(InvalidKey, match="Ed25519"):
        pem.decrypt(text, "")


def test_an_encrypted_key_of_a_refused_kind_is_not_called_a_wrong_passphrase() -> None:
    plain = ED25519.private_bytes(serialization.Encoding.DER, PKCS8, NO_PASSPHRASE)
    sealed = base64.b64encode(pem._encrypt(plain, "passphrase")).decode()
    text = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{sealed}\n-----END ENCRYPTED PRIVATE KEY-----\n"
    with pytest.raises(InvalidKey, match="Ed25519"):
        pem.decrypt(text, "passphrase")


def test_openssh_files_are_refused() -> None:
    openssh = serialization.PrivateFormat.OpenSSH
    text = P256.private_bytes(serialization.Encoding.PEM, openssh, NO_PASSPHRASE).decode()
    with pytest.raises(InvalidKey):
        pem.decrypt(text, "")


BLOCK = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "\0" * 100,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: alice\n\nAAAA\n",
        BLOCK.format(""),
        BLOCK.format("AAAA"),
        BLOCK.format("not base64!"),
        BLOCK.format(base64.b64encode(b"\x30\x84\xff\xff\xff\xff").decode()),
        BLOCK.format(base64.b64encode(b"\x30\xff" * 40).decode()),
        BLOCK.format("role: alice\n\n"),
        "-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END PUBLIC KEY-----\n",
        (samples.DATA / "keys" / "alice.pub").read_text(),
    ],
)
def test_what_is_no_key_file(text: str) -> None:
    with pytest.raises(InvalidKey):
        pem.decrypt(text, "passphrase")


@given(st.data())
@settings(max_examples=60)
def test_a_file_cut_anywhere_is_refused(data: st.DataObject) -> None:
    text = samples.private_key(samples.ALICE)
    cut = data.draw(st.integers(0, len(text) - 30))
    with pytest.raises((InvalidKey, WrongPassphrase)):
        pem.decrypt(text[:cut], samples.REPOSITORY_PASSPHRASE)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_with_one_changed_byte_opens_as_itself_or_not_at_all(data: st.DataObject) -> None:
    der = bytearray(content(samples.private_key(samples.ALICE)))
    place = data.draw(st.integers(0, len(der) - 1))
    if place in range(47, 53):
        return  # the rounds: millions of them are allowed and slow
    der[place] ^= data.draw(st.integers(1, 255))
    try:
        key = pem.decrypt(BLOCK.format(base64.b64encode(bytes(der)).decode()), samples.REPOSITORY_PASSPHRASE)
    except (InvalidKey, WrongPassphrase):
        return
    assert key.key_id == samples.ALICE


@given(st.binary(max_size=200))
def test_garbage_in_a_block_is_refused(data: bytes) -> None:
    with pytest.raises((InvalidKey, WrongPassphrase)):
        pem.decrypt(BLOCK.format(base64.b64encode(data).decode()), "passphrase")


def test_a_file_that_asks_for_endless_rounds_is_refused() -> None:
    der = content(samples.private_key(samples.ALICE)).replace(bytes.fromhex("02020800"), bytes.fromhex("02027fff"))
    started = time.monotonic()
    with pytest.raises(WrongPassphrase):
        pem.decrypt(BLOCK.format(base64.b64encode(der).decode()), "passphrase")
    huge = der.replace(bytes.fromhex("02027fff"), bytes.fromhex("02080800"))  # a length that runs over the salt's end
    with pytest.raises(InvalidKey):
        pem.decrypt(BLOCK.format(base64.b64encode(huge).decode()), "passphrase")
    assert time.monotonic() - started < 5


def test_a_flood_of_unfinished_blocks_is_answered_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(InvalidKey):
        pem.decrypt("-----BEGIN PRIVATE KEY-----\n" * 40_000, "")
    assert time.monotonic() - started < 1


def test_a_huge_file_is_refused() -> None:
    with pytest.raises(InvalidKey):
        pem.decrypt("x" * 5_000_000 + samples.private_key(samples.ALICE), samples.REPOSITORY_PASSPHRASE)


def test_the_public_half_as_docker_writes_it() -> None:
    key = pem.decrypt(samples.private_key(samples.ALICE), samples.REPOSITORY_PASSPHRASE)
    assert pem.public_pem(key, "alice") == (samples.DATA / "keys" / "alice.pub").read_text()


def test_openssl_files_with_sha256_derivation_are_read() -> None:
    """docker reads them as a wrong passphrase; importing is how they become files docker reads."""
    best = serialization.BestAvailableEncryption(b"passphrase")
    text = P256.private_bytes(serialization.Encoding.PEM, PKCS8, best).decode()
    assert pem.decrypt(text, "passphrase").public == PrivateKey(P256).public
    with pytest.raises(WrongPassphrase):
        pem.decrypt(text, "another")
