"""Opened keys: they sign, are certified, and show themselves nowhere."""

from __future__ import annotations

import traceback
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.trust.errors import InvalidKey, KeyNotHeld, TrustError
from signing.trust.keystore import pem
from signing.trust.keystore.base import KeyInfo, PrivateKey, opened_once
from signing.trust.keystore.certificates import certificate_request, root_certificate
from signing.trust.tuf.keys import PublicKey, common_names
from signing.trust.tuf.metadata import Envelope, Root
from signing.trust.tuf.times import parse_time
from tests.memory_keystore import MemoryKeyStore
from tests.unit.trust import samples

NOW = parse_time("2026-11-24T12:34:56.789Z")
LONG_GUN = "registry.example.com:5000/" + "very-long-team-name/" * 5 + "app"
ED25519 = PrivateKey(ed25519.Ed25519PrivateKey.generate())


def secrets_of(text: str) -> list[str]:
    """Give every line of a key file's body."""
    return [line for line in text.split("\n\n", 1)[1].splitlines() if "-----" not in line]


def test_a_key_shows_only_its_id() -> None:
    key = PrivateKey.generate()
    for shown in (repr(key), str(key), f"{key}", f"{[key]}"):
        assert key.key_id[:12] in shown
        assert len(shown) < 100


def test_an_unencrypted_key_file_does_not_show_its_content() -> None:
    text = pem.encrypt(PrivateKey.generate(), "", "alice")
    file = pem.KeyFile.parse(text)
    assert not any(line in repr(file) for line in secrets_of(text))
    assert "alice" in repr(file)


@pytest.mark.parametrize(
    "text",
    [
        pem.encrypt(PrivateKey.generate(), "", "alice").replace("M", "!", 1),
        pem.encrypt(PrivateKey.generate(), "", "alice").replace("\n\nM", "\n\nA"),
        samples.private_key(samples.ALICE),
    ],
    ids=["no base64", "no key", "wrong passphrase"],
)
def test_errors_show_neither_key_nor_passphrase(text: str) -> None:
    passphrase = "-".join(["the", "secret", "passphrase"])  # in one piece the traceback would quote it from this line
    with pytest.raises(TrustError) as caught:
        pem.decrypt(text, passphrase)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(caught.value.detail)
    assert passphrase not in shown
    assert not any(line in shown for line in secrets_of(text))


def test_anything_but_a_private_key_is_refused() -> None:
    for thing in (None, b"key", PrivateKey.generate().loaded.public_key()):
        with pytest.raises(InvalidKey):
            PrivateKey(thing)


def test_a_signature_names_the_key_it_is_asked_to() -> None:
    key = PrivateKey.generate()
    signature = key.signature("id of a certificate", b"payload")
    assert (signature.keyid, signature.method) == ("id of a certificate", "ecdsa")
    assert key.public.verifies("ecdsa", signature.sig, b"payload")


def test_a_memory_store_keeps_and_tells() -> None:
    store, key = MemoryKeyStore(), PrivateKey.generate()
    store.add(key, "targets", samples.GUN)
    assert store.list() == [KeyInfo(key.key_id, "targets", samples.GUN)]
    assert store.holds(key.key_id)
    assert store.open(key.key_id) is key
    assert not store.holds("0" * 64)
    with pytest.raises(KeyNotHeld):
        store.open("0" * 64)


def test_a_key_is_opened_once() -> None:
    asked = []

    class Store(MemoryKeyStore):
        def open(self, key_id: str) -> PrivateKey:
            asked.append(key_id)
            return super().open(key_id)

    store, key = Store(), PrivateKey.generate()
    store.add(key, "alice")
    opener = opened_once(store)
    assert opener(key.key_id) is opener(key.key_id) is key
    assert asked == [key.key_id]


@pytest.mark.parametrize("gun", [samples.GUN, LONG_GUN, "a"])
@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=["P-256", "P-384"])
def test_the_root_certificate_is_like_dockers(gun: str, curve: ec.EllipticCurve) -> None:
    key = PrivateKey(ec.generate_private_key(curve))
    made = root_certificate(key, gun, NOW)
    (certificate,) = made.certificates
    assert (made.keytype, made.canonical_id) == ("ecdsa-x509", key.key_id)
    assert made.public.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert made.public.endswith(b"-----END CERTIFICATE-----\n")
    assert common_names(certificate) == [gun]
    assert certificate.version == x509.Version.v3
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)
    assert certificate.not_valid_before_utc == NOW.replace(microsecond=0)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=3650)
    assert 0 < certificate.serial_number < 2**128
    certificate.verify_directly_issued_by(certificate)


def test_the_extensions_of_a_root_certificate_are_dockers() -> None:
    (ours,) = root_certificate(PrivateKey.generate(), samples.GUN, NOW).certificates
    theirs = next(
        PublicKey("ecdsa-x509", item.public).certificates[0] for item in _keys_of_the_sample_root() if item.is_certified
    )
    assert list(ours.extensions) == list(theirs.extensions)
    assert list(ours.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CODE_SIGNING
    ]


def _keys_of_the_sample_root() -> list[PublicKey]:
    return list(Root.from_signed(Envelope.parse(samples.metadata("root")).signed).keys.values())


def test_two_certificates_of_one_key_differ() -> None:
    key = PrivateKey.generate()
    assert root_certificate(key, "a", NOW) != root_certificate(key, "a", NOW)


def test_an_rsa_root_key_is_certified() -> None:
    key = PrivateKey(rsa.generate_private_key(65537, 2048))
    assert root_certificate(key, samples.GUN, NOW).keytype == "rsa-x509"


def test_a_request_for_an_authority() -> None:
    key = PrivateKey.generate()
    request = x509.load_pem_x509_csr(certificate_request(key, "alice").encode())
    assert request.is_signature_valid
    assert request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "alice"
    assert PublicKey.from_loaded(request.public_key()).key_id == key.key_id  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_request_needs_a_name_of_the_right_length(name: str) -> None:
    with pytest.raises(InvalidKey):
        certificate_request(PrivateKey.generate(), name)


def test_an_ed25519_key_is_never_certified() -> None:
    with pytest.raises(InvalidKey):
        root_certificate(ED25519, samples.GUN, NOW)
    with pytest.raises(InvalidKey):
        certificate_request(ED25519, "alice")
