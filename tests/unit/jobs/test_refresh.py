"""What a check writes on a repository's row."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing import jobs
from signing.models import Event, Happening, Operation, Repository, SignedTag, TrustedMetadata
from signing.services.operations import sign_digest
from signing.services.repositories import check_now
from signing.trust.errors import BadResponse, NotAuthorised, ServerUnreachable
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import client
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.repository import Repository as TrustRepository
from tests.factories import DIGEST, PASSPHRASE
from tests.memory_keystore import MemoryKeyStore


def check(world, person="developer"):
    operation = check_now(actor=getattr(world.cast, person), repository=world.cast.repository)
    operation = world.run(operation)
    world.cast.repository.refresh_from_db()
    return operation


def sign(world, tag="1.0", digest=DIGEST):
    operation = sign_digest(
        actor=world.cast.signer,
        repository=world.cast.repository,
        tag=tag,
        digest=digest,
        length=528,
        signer=world.cast.alice,
        passphrase=PASSPHRASE,
    )
    return world.run(operation)


def test_a_repository_without_trust_data_is_unsigned(world):
    operation = check(world)
    assert (operation.state, operation.result["verdict"]) == ("done", "unsigned")
    assert world.cast.repository.verdict == Repository.Verdict.UNSIGNED
    assert world.cast.repository.reason
    assert world.cast.repository.checked_at
    assert world.cast.repository.verified_at is None


def test_what_somebody_signed_elsewhere_is_found(approved):
    assert sign(approved).state == "done"
    SignedTag.objects.all().delete()
    assert check(approved).state == "done"
    assert list(SignedTag.objects.values_list("tag", "digest", "signers")) == [("1.0", DIGEST, ["alice"])]


def test_tags_come_in_dockers_order_and_keep_their_first_sight(approved):
    for tag in ("v10", "v2", "latest"):
        sign(approved, tag)
    first = dict(SignedTag.objects.values_list("tag", "first_seen"))
    sign(approved, "v3")
    sign(approved, "latest", "ab" * 32)
    rows = list(SignedTag.objects.all())
    assert [row.tag for row in rows] == ["latest", "v2", "v3", "v10"]
    after = {row.tag: row.first_seen for row in rows}
    assert after["v10"] == first["v10"]
    assert after["latest"] > first["latest"]  # another digest is another row


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ServerUnreachable("No answer."), "unreachable"),
        (NotAuthorised("No entry."), "unreachable"),
        (BadResponse("Not Notary."), "unreachable"),
    ],
)
def test_a_failed_check_keeps_what_verified_and_says_why(approved, error, verdict):
    sign(approved)
    verified_at = Repository.objects.get(pk=approved.cast.repository.pk).verified_at
    approved.notary.fault = error
    operation = check(approved)
    repository = approved.cast.repository
    assert (operation.state, operation.error_code) == ("failed", error.code)
    assert (repository.verdict, repository.reason, repository.next_step) == (verdict, error.message, error.next_step)
    assert repository.verified_at == verified_at < repository.checked_at
    assert SignedTag.objects.count() == 1
    assert repository.signers


def test_a_replaced_root_is_an_unknown_key(approved):
    gun = approved.cast.repository.gun
    approved.notary.delete(gun)
    key = PrivateKey.generate()
    thief = TrustRepository(Gun.parse(gun), approved.notary, MemoryCache(), MemoryKeyStore())
    thief.add_signer("mallory", [key.public])
    operation = check(approved)
    assert operation.error_code == "untrusted_root"
    assert approved.cast.repository.verdict == Repository.Verdict.UNKNOWN_KEY
    assert [entry["name"] for entry in approved.cast.repository.signers] == ["alice"]


def test_trust_data_that_vanished_is_not_called_unsigned(approved):
    approved.notary.delete(approved.cast.repository.gun)
    operation = check(approved)
    assert (operation.state, approved.cast.repository.verdict) == ("failed", "broken")
    assert "had trust data before" in approved.cast.repository.reason


def test_tampered_metadata_does_not_verify(approved):
    gun = approved.cast.repository.gun
    TrustedMetadata.objects.exclude(role="root").delete()
    client.resident.clear()  # what this process verified before would not be read again
    for name, data in approved.notary.files[gun].items():
        if name.startswith("targets."):
            approved.notary.lies[name] = data.replace(b"targets/alice", b"targets/malic")
    check(approved)
    assert approved.cast.repository.verdict == Repository.Verdict.BROKEN


def test_an_older_state_is_refused(approved):
    gun = approved.cast.repository.gun
    old = dict(approved.notary.files[gun])
    sign(approved)
    approved.notary.files[gun] = old
    operation = check(approved)
    assert operation.error_code == "rollback"
    assert approved.cast.repository.verdict == Repository.Verdict.BROKEN
    assert SignedTag.objects.filter(repository__gun=gun).count() == 1


def test_metadata_past_its_time_is_expired(approved, time_machine):
    time_machine.move_to(timezone.now() + timedelta(days=40))
    operation = check(approved)
    assert operation.error_code == "expired_metadata"
    assert approved.cast.repository.verdict == Repository.Verdict.EXPIRED


def test_people_are_told_once_of_what_does_not_verify_any_more(approved, time_machine):
    sign(approved)
    Happening.objects.all().delete()
    time_machine.move_to(timezone.now() + timedelta(days=4000))
    check(approved)
    check(approved)
    [happening] = Happening.objects.filter(event=Event.DRIFT)
    assert (happening.repository, happening.detail["verdict"]) == (approved.cast.repository, "expired")


def test_it_recovers(approved):
    approved.notary.fault = ServerUnreachable("No answer.")
    check(approved)
    approved.notary.fault = None
    check(approved)
    repository = approved.cast.repository
    assert (repository.verdict, repository.reason, repository.next_step) == ("verified", "", "")


def test_a_tick_leaves_no_operation_behind(world):
    jobs.refresh_due()
    assert not Operation.objects.exists()
    world.cast.repository.refresh_from_db()
    assert world.cast.repository.verdict == Repository.Verdict.UNSIGNED
