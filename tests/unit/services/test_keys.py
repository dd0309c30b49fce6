from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict, NotAllowed
from signing.models import Key, Operation, SealedSecret
from signing.services.keys import attach_certificate, enrol_public_key, generate_key, import_key, request_csr
from signing.trust.errors import InvalidInput, InvalidKey, InvalidName
from signing.trust.keystore.base import PrivateKey
from tests import factories
from tests.factories import PASSPHRASE


def generate(cast, person="signer", **changed):
    values = {"purpose": "signer", "name": "bob", "passphrase": PASSPHRASE} | changed
    return generate_key(actor=getattr(cast, person), account=cast.account, **values)


def test_generating_queues_the_work_and_seals_the_passphrase(cast, one_event):
    with one_event("generate_key"):
        operation = generate(cast, unattended=True)
    assert operation.parameters == {"purpose": "signer", "name": "bob", "unattended": True}
    assert PASSPHRASE.encode() not in bytes(SealedSecret.objects.get().box)
    assert take_secrets(operation) == {"signer": PASSPHRASE}


def test_root_keys_are_a_leads_affair_and_there_is_one(cast):
    with pytest.raises(NotAllowed):
        generate(cast, purpose="root")
    assert generate(cast, "lead", purpose="root").parameters["name"] == "root"
    factories.make_key(cast.account, "root")
    with pytest.raises(Conflict, match="root key already"):
        generate(cast, "lead", purpose="root")


@pytest.mark.parametrize("person", ["developer", "auditor", "outsider"])
def test_others_make_no_keys(cast, person):
    with pytest.raises(NotAllowed):
        generate(cast, person)


@pytest.mark.parametrize("name", ["", "Bob", "a b", "releases", "root", "../x", "-x", "targets"])
def test_a_signers_name_follows_dockers_rules(cast, name):
    with pytest.raises(InvalidName):
        generate(cast, name=name)


def test_a_short_passphrase_is_refused(cast):
    with pytest.raises(InvalidInput, match="8 characters"):
        generate(cast, passphrase="short")
    assert not Operation.objects.exists()


def test_a_repository_key_is_not_made_by_itself(cast):
    with pytest.raises(InvalidInput):
        generate(cast, "lead", purpose="repository")


def test_importing_seals_file_and_passphrase(cast, one_event):
    pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nrole: bob\n\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    with one_event("import_key"):
        operation = import_key(actor=cast.signer, account=cast.account, key_pem=pem, name="bob", passphrase=PASSPHRASE)
    assert take_secrets(operation) == {"import": pem, "signer": PASSPHRASE}


@pytest.mark.parametrize("text", ["", "hello", "-----BEGIN PUBLIC KEY-----", "PRIVATE KEY" + "x" * 70_000])
def test_what_is_no_key_file_is_refused_before_any_work(cast, text):
    with pytest.raises(InvalidKey):
        import_key(actor=cast.signer, account=cast.account, key_pem=text, name="bob", passphrase=PASSPHRASE)


def test_enrolling_keeps_the_public_half_only(cast, one_event):
    private = PrivateKey.generate()
    with one_event("enrol_key"):
        key = enrol_public_key(actor=cast.signer, account=cast.account, name="bob", public_pem=private.public.to_pem())
    assert (key.key_id, key.custody, key.owner) == (private.public.canonical_id, Key.Custody.CLIENT, cast.signer)
    assert not key.asks_passphrase
    with pytest.raises(Conflict):
        enrol_public_key(actor=cast.lead, account=cast.account, name="eve", public_pem=private.public.to_pem())


def test_garbage_is_no_public_key(cast):
    with pytest.raises(InvalidKey):
        enrol_public_key(actor=cast.signer, account=cast.account, name="bob", public_pem="garbage")


def test_a_csr_takes_the_passphrase_of_a_key_that_asks(cast, one_event):
    with pytest.raises(InvalidInput):
        request_csr(actor=cast.signer, key=cast.alice.key)
    with one_event("request_csr"):
        operation = request_csr(actor=cast.signer, key=cast.alice.key, passphrase=PASSPHRASE)
    assert take_secrets(operation) == {"signer": PASSPHRASE}
    with pytest.raises(NotAllowed):
        request_csr(actor=cast.developer, key=cast.alice.key, passphrase=PASSPHRASE)


def test_no_csr_for_a_key_that_is_elsewhere(cast):
    key = enrol_public_key(
        actor=cast.signer, account=cast.account, name="bob", public_pem=PrivateKey.generate().public.to_pem()
    )
    with pytest.raises(InvalidInput, match="not here"):
        request_csr(actor=cast.signer, key=key)


def issue(public, issuer_key, issuer_name, name="bob", days=90):
    now = datetime.now(UTC)

    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = x509.CertificateBuilder(named(issuer_name), named(name), public, x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=days))
    if name == issuer_name:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def pem_of(*certificates):
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


@pytest.fixture
def authority():
    key = ec.generate_private_key(ec.SECP256R1())
    return key, issue(key.public_key(), key, "CA", "CA")


@pytest.fixture
def bob(cast):
    private = PrivateKey.generate()
    key = enrol_public_key(actor=cast.signer, account=cast.account, name="bob", public_pem=private.public.to_pem())
    return private, key


def test_a_certificate_with_its_chain_is_attached(cast, one_event, authority, bob):
    private, key = bob
    leaf = issue(private.loaded.public_key(), authority[0], "CA")
    with one_event("attach_certificate"):
        attach_certificate(actor=cast.signer, key=key, pem=pem_of(leaf, authority[1]))
    key.refresh_from_db()
    assert key.certificate_pem.count("BEGIN CERTIFICATE") == 2
    assert key.certificate_expires == leaf.not_valid_after_utc


def test_a_certificate_for_another_key_is_refused(cast, authority, bob):
    leaf = issue(PrivateKey.generate().loaded.public_key(), authority[0], "CA")
    with pytest.raises(InvalidKey, match="another key"):
        attach_certificate(actor=cast.signer, key=bob[1], pem=pem_of(leaf))


def test_a_broken_chain_is_refused(cast, authority, bob):
    private, key = bob
    stranger = ec.generate_private_key(ec.SECP256R1())
    leaf = issue(private.loaded.public_key(), stranger, "CA")
    with pytest.raises(InvalidKey, match="chain is broken"):
        attach_certificate(actor=cast.signer, key=key, pem=pem_of(leaf, authority[1]))


def test_an_expired_certificate_is_refused(cast, authority, bob, time_machine):
    private, key = bob
    leaf = issue(private.loaded.public_key(), authority[0], "CA", days=1)
    time_machine.move_to(datetime.now(UTC) + timedelta(days=3))
    with pytest.raises(InvalidKey, match="valid from"):
        attach_certificate(actor=cast.signer, key=key, pem=pem_of(leaf))


def test_a_bare_public_key_is_no_certificate(cast, bob):
    private, key = bob
    with pytest.raises(InvalidKey, match="bare"):
        attach_certificate(actor=cast.signer, key=key, pem=private.public.to_pem())
