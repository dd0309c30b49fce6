from __future__ import annotations

import pytest
from cryptography import x509

from signing import jobs
from signing.adapters.sealed_keys import SealedKeyStore
from signing.models import Key, Operation
from signing.services.keys import generate_key, import_key, request_csr
from signing.trust.keystore import pem
from signing.trust.keystore.base import PrivateKey
from tests import factories
from tests.factories import PASSPHRASE


def generate(world, **changed):
    values = {"actor": world.cast.lead, "purpose": "signer", "name": "bob", "passphrase": PASSPHRASE} | changed
    return world.run(generate_key(account=world.cast.account, **values))


def test_a_generated_key_opens_with_the_passphrase_that_was_typed(world):
    operation = generate(world)
    assert (operation.state, operation.error) == ("done", "")
    key = operation.key
    assert (key.name, key.purpose, key.owner, key.asks_passphrase) == ("bob", "signer", world.cast.lead, True)
    assert operation.result["key_id"] == key.key_id
    opened = SealedKeyStore(key.account, [key], {"signer": PASSPHRASE}).open(key.key_id)
    assert opened.public.to_pem() == key.public_pem


def test_an_unattended_key_opens_by_itself(world):
    key = generate(world, unattended=True).key
    assert not key.asks_passphrase
    assert SealedKeyStore(key.account, [key], {}).open(key.key_id)


def test_a_lost_worker_makes_no_second_key(world):
    operation = generate(world)
    Operation.objects.filter(pk=operation.pk).update(state="queued")
    jobs.generate_key(operation.pk)
    operation.refresh_from_db()
    assert operation.state == "done"
    assert Key.objects.filter(name="bob").count() == 1


def test_two_root_keys_asked_for_at_once_become_one(world):
    Key.objects.filter(purpose="root").delete()
    one, two = (
        generate_key(
            actor=world.cast.lead, account=world.cast.account, purpose="root", name="root", passphrase=PASSPHRASE
        )
        for _ in range(2)
    )
    assert world.run(one).state == "done"
    assert world.run(two).error_code == "conflict"
    assert Key.objects.filter(purpose="root").count() == 1


def key_file(role="bob", gun=None, passphrase=PASSPHRASE, key=None):
    return pem.encrypt(key or PrivateKey.generate(), passphrase, role, gun)


def imported(world, text, **changed):
    values = {"actor": world.cast.lead, "name": "bob", "passphrase": PASSPHRASE} | changed
    return world.run(import_key(account=world.cast.account, key_pem=text, **values))


def test_a_key_file_of_docker_is_taken_over(world):
    private = PrivateKey.generate()
    operation = imported(world, key_file(key=private))
    assert (operation.state, operation.error) == ("done", "")
    assert operation.key.key_id == private.public.canonical_id
    assert SealedKeyStore(operation.account, [operation.key], {"signer": PASSPHRASE}).open(private.key_id)


def test_a_repository_key_file_brings_its_repository(world):
    gun = world.cast.repository.gun
    operation = imported(world, key_file("targets", gun), purpose="repository")
    assert (operation.state, operation.error) == ("done", "")
    assert (operation.key.purpose, operation.key.gun, operation.key.name) == ("repository", gun, "targets")


@pytest.mark.parametrize(
    ("text", "changed", "code"),
    [
        (lambda: key_file(passphrase="other words"), {}, "wrong_passphrase"),
        (lambda: "-----BEGIN ENCRYPTED PRIVATE KEY-----\nnonsense", {}, "invalid_key"),
        (lambda: key_file("root"), {}, "invalid_key"),
        (lambda: key_file("bob"), {"purpose": "repository"}, "invalid_key"),
        (lambda: key_file("snapshot"), {}, "invalid_key"),
        (lambda: key_file("targets"), {"purpose": "repository"}, "invalid_key"),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_sentence(world, text, changed, code):
    operation = imported(world, text(), **changed)
    assert (operation.state, operation.error_code) == ("failed", code)
    assert operation.next_step
    assert not operation.secrets.exists()
    assert not Key.objects.filter(name__in=("bob", "targets")).exists()


def test_the_same_key_is_imported_once(world):
    text = key_file()
    imported(world, text)
    assert imported(world, text).error_code == "conflict"


def test_a_certificate_request_is_for_this_very_key(world):
    key = world.cast.alice.key
    operation = world.run(request_csr(actor=world.cast.signer, key=key, passphrase=PASSPHRASE))
    assert (operation.state, operation.error) == ("done", "")
    key.refresh_from_db()
    request = x509.load_pem_x509_csr(key.csr_pem.encode())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=alice"


def test_no_secret_is_found_anywhere_afterwards(world):
    generate(world, passphrase="CANARY-passphrase")
    imported(world, key_file(passphrase="CANARY-passphrase"), passphrase="CANARY-passphrase", name="eve")
    from django.apps import apps

    for model in apps.get_app_config("signing").get_models():
        for row in model.objects.values():
            assert "CANARY" not in str(row)


def test_a_generated_key_of_a_removed_account_is_a_plain_failure(world):
    operation = factories.make_operation("generate_key", "generate_key", parameters={"purpose": "signer"})
    assert world.run(operation).error_code == "secret_gone"
