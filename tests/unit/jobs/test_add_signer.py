"""An approved request becomes trust data."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.utils import timezone

from signing import jobs
from signing.adapters.sealed_keys import SealedKeyStore
from signing.models import Key, Operation, Repository, TrustedMetadata
from signing.services.operations import retry_operation, sign_digest
from signing.services.requests import approve_request, request_signer
from signing.trust.errors import PublishRejected, ServerUnreachable
from tests import factories
from tests.factories import DIGEST, PASSPHRASE


def test_the_first_signer_initialises_the_repository(world):
    operation = world.approve()
    repository = world.cast.repository
    assert (operation.state, operation.error) == ("done", "")
    assert operation.result["versions"]["root"] == 1
    assert repository.verdict == Repository.Verdict.VERIFIED
    assert repository.signers == [{"name": "alice", "keys": [world.cast.alice.key.key_id]}]
    key = Key.objects.get(purpose="repository")
    assert (key.gun, key.key_id) == (repository.gun, repository.administrative_keys["repository"][0])
    assert {row["role"] for row in repository.roles} >= {"root", "targets", "snapshot", "timestamp"}
    assert TrustedMetadata.objects.filter(role="root").exists()


def test_the_log_tells_what_is_true_now_and_was_not_before(world):
    lines = [line.text for line in world.approve().lines.all()]
    key = world.cast.alice.key.key_id[:12]
    assert any(line.startswith(f"{world.cast.repository.gun} is initialised; its root key is ") for line in lines)
    assert any(line.startswith("targets/alice") and key in line for line in lines), lines


def test_the_log_tells_what_soon_stops_holding(world, monkeypatch):
    monkeypatch.setattr("signing.trust.notary.differences.NEAR_EXPIRY", timedelta(days=365 * 20))
    lines = [line.text for line in world.approve().lines.all()]
    assert any(line.startswith("Warning: The root certificate ") for line in lines)


def test_a_second_signer_takes_the_repository_key_only(approved):
    bob = factories.make_signer(approved.cast.account, "bob", user=approved.cast.developer)
    operation = approved.approve(bob)
    assert (operation.state, operation.error) == ("done", "")
    assert [entry["name"] for entry in approved.cast.repository.signers] == ["alice", "bob"]
    assert "root" not in operation.result["versions"]


def test_the_job_run_twice_publishes_once(approved):
    posts = len(approved.notary.posted)
    jobs.add_signer(Operation.objects.get(kind="add_signer").pk)
    assert len(approved.notary.posted) == posts


def test_a_wrong_root_passphrase_publishes_nothing_and_can_be_corrected(world):
    wrong = {"root": "wrong words", "repository": "its own words"}
    request = request_signer(actor=world.cast.developer, signer=world.cast.alice, repositories=[world.cast.repository])
    request = approve_request(actor=world.cast.lead, request=request, passphrases=wrong)
    operation = world.run(request.items.get().operation)
    assert (operation.state, operation.error_code) == ("failed", "wrong_passphrase")
    assert operation.next_step
    assert not world.notary.posted
    assert not operation.secrets.exists()
    given = {"root": PASSPHRASE, "repository": "its own words"}
    operation = world.run(retry_operation(actor=world.cast.lead, operation=operation, passphrases=given))
    assert (operation.state, operation.error) == ("done", "")


def test_the_repository_key_is_kept_before_anything_is_sent(world):
    def look() -> None:
        assert Key.objects.filter(purpose="repository", gun=world.cast.repository.gun).exists()
        raise PublishRejected("No.")

    world.notary.before_post = look
    assert world.approve().error_code == "publish_rejected"
    assert Key.objects.filter(purpose="repository").count() == 1


def test_an_unreachable_server_changes_nothing(world):
    world.notary.fault = ServerUnreachable("No answer.")
    operation = world.approve()
    assert (operation.state, operation.error_code, operation.error) == ("failed", "server_unreachable", "No answer.")
    assert world.cast.repository.signers == []


def test_a_repository_whose_key_left_meanwhile_is_refused(approved):
    bob = factories.make_signer(approved.cast.account, "bob", user=approved.cast.developer)
    request = request_signer(actor=approved.cast.signer, signer=bob, repositories=[approved.cast.repository])
    approve_request(actor=approved.cast.lead, request=request, passphrases={"repository": "its own words"})
    approved.cast.account.keys.filter(purpose="repository").delete()
    operation = approved.run(request.items.get().operation)
    assert (operation.state, operation.error_code) == ("failed", "cannot_sign")


def test_nothing_is_delegated_that_nobody_asked_for(approved):
    eve = factories.make_signer(approved.cast.account, "eve")
    operation = factories.make_operation("add_signer", "add_signer", approved.cast.repository, signer=eve)
    posts = len(approved.notary.posted)
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "not_as_approved")
    assert len(approved.notary.posted) == posts


def test_under_an_unattended_root_key_nobody_is_asked(world):
    Key.objects.filter(purpose="root").delete()
    factories.make_key(world.cast.account, "root", is_unattended=True)
    operation = world.approve()
    assert (operation.state, operation.error) == ("done", "")
    assert not Key.objects.get(purpose="repository").asks_passphrase
    bob = factories.make_signer(world.cast.account, "bob")
    assert world.approve(bob).state == "done"


def certified(key, private, days=90):
    now = timezone.now()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, key.name)])
    builder = x509.CertificateBuilder(name, name, private.loaded.public_key(), x509.random_serial_number())
    first, last = sorted((now - timedelta(days=5), now + timedelta(days=days)))
    builder = builder.not_valid_before(first).not_valid_after(last)
    key.certificate_pem = builder.sign(private.loaded, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    key.save()


def test_a_certified_key_is_delegated_to_with_its_certificate(world):
    key = world.cast.alice.key
    certified(key, SealedKeyStore(key.account, [key], {"signer": PASSPHRASE}).open(key.key_id))
    assert world.approve().state == "done"
    assert world.cast.repository.signers == [{"name": "alice", "keys": [key.key_id]}]
    targets = TrustedMetadata.objects.get(role="targets")
    assert b"ecdsa-x509" in bytes(targets.data)
    operation = sign_digest(
        actor=world.cast.signer,
        repository=world.cast.repository,
        tag="1.0",
        digest=DIGEST,
        length=528,
        signer=world.cast.alice,
        passphrase=PASSPHRASE,
    )
    assert world.run(operation).error == ""
    assert world.cast.repository.tags.get().signers == ["alice"]


def test_a_certificate_that_expired_meanwhile_is_not_published(world):
    key = world.cast.alice.key
    certified(key, SealedKeyStore(key.account, [key], {"signer": PASSPHRASE}).open(key.key_id), days=-3)
    assert world.approve().error_code == "invalid_key"
    assert not world.notary.posted


@pytest.mark.parametrize("missing", ["signer", "repository"])
def test_what_was_removed_meanwhile_is_a_plain_failure(world, missing):
    operation = factories.make_operation(
        "add_signer",
        "add_signer",
        account=world.cast.account,
        repository=None if missing == "repository" else world.cast.repository,
        signer=None if missing == "signer" else world.cast.alice,
    )
    operation = world.run(operation)
    assert operation.state == "failed"
    assert "removed meanwhile" in operation.error
