"""Key ids, reading keys and certificates, and what counts as a signature."""

from __future__ import annotations

import base64
import hashlib
import time
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID

from signing.trust.errors import InvalidKey, MalformedMetadata
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope
from signing.trust.tuf.times import parse_time
from tests.unit.trust import samples

NOW = parse_time("2026-11-24T00:00:00Z")
GUN = "registry.example.com/team/app"
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

RSA = rsa.generate_private_key(65537, 2048)
KEYS = {
    "P-256": PrivateKey(ec.generate_private_key(ec.SECP256R1())),
    "P-384": PrivateKey(ec.generate_private_key(ec.SECP384R1())),
    "P-521": PrivateKey(ec.generate_private_key(ec.SECP521R1())),
    "RSA": PrivateKey(RSA),
    "Ed25519": PrivateKey(ed25519.Ed25519PrivateKey.generate()),
}
WEAK = {
    "RSA 1024": rsa.generate_private_key(65537, 1024),
    "P-224": ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "DSA": dsa.generate_private_key(2048),
    "X25519": x25519.X25519PrivateKey.generate(),
}


@pytest.mark.parametrize("vector", samples.vectors("keyid-vectors"), ids=lambda vector: vector["note"])
def test_key_ids_of_the_real_tools(vector: dict[str, Any]) -> None:
    key = PublicKey(vector["keytype"], base64.b64decode(vector["public_b64"]))
    assert key.key_id == vector["tuf_key_id"]
    assert key.canonical_id == vector.get("canonical_key_id", vector["tuf_key_id"])
    assert PublicKey.from_json(key.to_json()) == key


@pytest.mark.parametrize("vector", samples.vectors("signature-vectors"), ids=lambda vector: vector["note"])
def test_signatures_of_the_real_tools(vector: dict[str, Any]) -> None:
    envelope = Envelope.parse(base64.b64decode(vector["file_bytes_b64"]))
    signature = base64.b64decode(vector["sig_b64"])
    key = PublicKey(vector["keytype"], base64.b64decode(vector["public_b64"]))
    assert key.key_id == vector["keyid"]
    assert hashlib.sha256(envelope.payload).hexdigest() == vector["signed_message_sha256"]
    assert key.verifies(vector["method"], signature, envelope.payload)
    assert not key.verifies(vector["method"], signature, envelope.payload + b" ")
    assert not key.verifies(vector["method"], signature[:-1] + bytes([signature[-1] ^ 1]), envelope.payload)


@pytest.mark.parametrize("name", KEYS)
def test_our_signatures(name: str) -> None:
    key = KEYS[name]
    method, signature = key.sign(b"payload")
    assert key.public.verifies(method, signature, b"payload")
    assert key.public.verifies(method.upper(), signature, b"payload")
    assert not key.public.verifies(method, signature, b"another payload")
    assert (method, len(signature)) == {
        "P-256": ("ecdsa", 64),
        "P-384": ("ecdsa", 96),
        "P-521": ("ecdsa", 132),
        "RSA": ("rsapss", 256),
        "Ed25519": ("eddsa", 64),
    }[name]


def test_a_der_signature_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.sign(b"payload", ec.ECDSA(hashes.SHA256()))
    assert not PrivateKey(key).public.verifies("ecdsa", der, b"payload")


@pytest.mark.parametrize("length", [0, 1, 63, 65, 96, 128])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    assert not KEYS["P-256"].public.verifies("ecdsa", b"\1" * length, b"payload")


def test_zeros_are_no_signature() -> None:
    assert not KEYS["P-256"].public.verifies("ecdsa", b"\0" * 64, b"payload")


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("method", ["ecdsa", "rsapss", "rsapkcs1v15", "eddsa", "", "pycrypto-pkcs#1 pss", "none"])
def test_a_method_of_another_kind_of_key_is_refused(name: str, method: str) -> None:
    key = KEYS[name]
    own, signature = key.sign(b"payload")
    assert key.public.verifies(method, signature, b"payload") == (method == own)


@pytest.mark.parametrize("claimed", ["ecdsa", "rsa", "ed25519", "ecdsa-x509", "rsa-x509"])
@pytest.mark.parametrize("name", KEYS)
def test_a_key_of_another_type_than_it_claims_verifies_nothing(claimed: str, name: str) -> None:
    """The type decides the method, so a wrong one must neither verify nor break the check."""
    key = KEYS[name]
    lying = PublicKey(claimed, key.public.public)
    _, signature = key.sign(b"payload")
    results = {method: lying.verifies(method, signature, b"payload") for method in ("ecdsa", "rsapss", "eddsa")}
    assert any(results.values()) == (claimed == key.public.keytype)


def test_a_certificate_of_another_type_than_it_claims_verifies_nothing() -> None:
    certificate = root_certificate(KEYS["RSA"], GUN, NOW)
    lying = PublicKey("ecdsa-x509", certificate.public)
    assert not lying.verifies("ecdsa", b"\1" * 64, b"payload")
    with pytest.raises(InvalidKey):
        _ = lying.canonical_id


@pytest.mark.parametrize("name", WEAK)
def test_weak_and_unknown_keys_are_refused_everywhere(name: str) -> None:
    key = WEAK[name]
    with pytest.raises(InvalidKey):
        PrivateKey(key)
    with pytest.raises(InvalidKey):
        PublicKey.from_loaded(key.public_key())  # type: ignore[arg-type]
    with pytest.raises(InvalidKey):
        PublicKey.from_pem(key.public_key().public_bytes(*PEM))
    spki = key.public_key().public_bytes(*SPKI)
    for keytype in ("ecdsa", "rsa"):
        assert not PublicKey(keytype, spki).verifies(keytype, b"\1" * 64, b"payload")


def certificate_of(key: Any, signing_key: Any = None, algorithm: Any = None) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=30))
        .sign(signing_key or key, algorithm or hashes.SHA256())
    )


@pytest.mark.parametrize("name", ["RSA 1024", "P-224", "secp256k1"])
def test_certificates_around_weak_keys_are_refused(name: str) -> None:
    pem = certificate_of(WEAK[name], RSA).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(InvalidKey):
        PublicKey.from_pem(pem)
    assert not PublicKey("ecdsa-x509", pem).verifies("ecdsa", b"\1" * 64, b"payload")


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_public_key_files_of_docker(name: str) -> None:
    key = PublicKey.from_pem((samples.DATA / "keys" / f"{name}.pub").read_text())
    assert (key.key_id, key.keytype) == (
        next(key_id for key_id, (role, _) in samples.PRIVATE_KEYS.items() if role == name),
        "ecdsa",
    )


def test_a_public_key_reads_the_same_from_windows() -> None:
    text = (samples.DATA / "keys" / "alice.pub").read_text()
    assert PublicKey.from_pem(text.replace("\n", "\r\n")).key_id == samples.ALICE


def test_only_the_first_block_counts() -> None:
    alice, bob = ((samples.DATA / "keys" / f"{name}.pub").read_text() for name in ("alice", "bob"))
    assert PublicKey.from_pem("a line before\n" + alice + bob).key_id == samples.ALICE


def test_a_certificate_becomes_an_x509_key_with_its_chain() -> None:
    leaf, chain = (certificate_of(key.loaded) for key in (KEYS["P-256"], KEYS["P-384"]))
    text = b"".join(item.public_bytes(serialization.Encoding.PEM) for item in (leaf, chain))
    key = PublicKey.from_pem(b"Subject: alice\n" + text)
    assert key == PublicKey("ecdsa-x509", text)
    assert key.certificates == (leaf, chain)
    assert key.canonical_id == KEYS["P-256"].key_id
    assert key.bare == KEYS["P-256"].public
    assert key.to_pem() == KEYS["P-256"].public.to_pem()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no PEM",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN SSH2 PUBLIC KEY-----\nAAAA\n-----END SSH2 PUBLIC KEY-----\n",
        KEYS["Ed25519"].public.to_pem(),
        certificate_of(ed25519.Ed25519PrivateKey.generate(), RSA).public_bytes(serialization.Encoding.PEM).decode(),
    ],
)
def test_what_is_no_public_key_of_a_signer(text: str) -> None:
    with pytest.raises(InvalidKey):
        PublicKey.from_pem(text)


def test_a_private_key_sent_by_mistake_is_refused_and_named() -> None:
    with pytest.raises(InvalidKey, match="Never send a private key"):
        PublicKey.from_pem(samples.private_key(samples.ALICE))


def test_a_certificate_of_an_unknown_version_is_refused() -> None:
    der = bytearray(certificate_of(KEYS["P-256"].loaded).public_bytes(serialization.Encoding.DER))
    der[der.index(bytes.fromhex("a003020102")) + 4] = 9
    body = base64.encodebytes(bytes(der)).decode()
    text = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    with pytest.raises(InvalidKey):
        PublicKey.from_pem(text)
    assert not PublicKey("ecdsa-x509", text.encode()).verifies("ecdsa", b"\1" * 64, b"payload")


def test_a_flood_of_unfinished_blocks_is_answered_at_once() -> None:
    flood = "-----BEGIN PUBLIC KEY-----\n" * 40_000
    started = time.monotonic()
    with pytest.raises(InvalidKey):
        PublicKey.from_pem(flood)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "ecdsa",
        {},
        {"keytype": "ecdsa"},
        {"keytype": "ecdsa", "keyval": None},
        {"keytype": "ecdsa", "keyval": []},
        {"keytype": "ecdsa", "keyval": "public"},
        {"keytype": "ecdsa", "keyval": {"public": 7}},
        {"keytype": "ecdsa", "keyval": {"public": None}},
        {"keytype": "ecdsa", "keyval": {"public": "no base64!"}},
        {"keytype": "ecdsa", "keyval": {"public": "é"}},
        {"keytype": "ecdsa", "keyval": {"public": "AAAA", "private": "AAAA"}},
        {"keytype": "dsa", "keyval": {"public": "AAAA"}},
        {"keytype": ["ecdsa"], "keyval": {"public": "AAAA"}},
        {"keytype": "ECDSA", "keyval": {"public": "AAAA"}},
        {"keytype": "ecdsa", "KeyType": "rsa", "keyval": {"public": "AAAA"}},
        {"keytype": "ecdsa", "keyval": {"public": "AAAA", "PUBLIC": "AAAB"}},
    ],
)
def test_what_is_no_key_in_metadata(value: Any) -> None:
    with pytest.raises(MalformedMetadata):
        PublicKey.from_json(value)


def test_a_key_without_the_private_member_is_read() -> None:
    assert PublicKey.from_json({"keytype": "ecdsa", "keyval": {"public": "AAAA"}}).public == b"\0\0\0"


def test_keys_are_values() -> None:
    key = KEYS["P-256"].public
    same = PublicKey(key.keytype, key.public)
    assert key == same
    assert len({key, same}) == 1
