from __future__ import annotations

import pytest

from signing import queue
from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict, NotAllowed, TooLate
from signing.models import AuditEvent, Operation, SealedSecret
from signing.selectors.operations import is_retryable, passphrases_needed
from signing.services import operations
from signing.trust.errors import CannotSign, InvalidInput, InvalidName, NoTag
from tests import factories
from tests.factories import DIGEST, PASSPHRASE


def publish(cast, person="signer", **changed):
    values = {
        "repository": cast.repository,
        "source": "alpine:3.20",
        "tag": "1.0",
        "signer": cast.alice,
        "passphrase": PASSPHRASE,
    } | changed
    return operations.publish_image(actor=getattr(cast, person), **values)


def test_publishing_queues_every_step(cast, one_event):
    with one_event("publish_image"):
        operation = publish(cast)
    assert queue.steps_of(operation) == ["resolve", "pull", "push", "sign", "release"]
    assert (operation.step, operation.state) == ("resolve", "queued")
    assert (operation.signer, operation.key) == (cast.alice, cast.alice.key)
    assert take_secrets(operation) == {"signer": PASSPHRASE}
    assert PASSPHRASE not in str(Operation.objects.values()) + str(AuditEvent.objects.values())


def test_an_image_in_the_engine_is_not_pulled(cast):
    assert publish(cast, from_local=True).step == "push"


def test_a_source_of_an_account_is_noted_with_the_right_to_its_login(cast):
    theirs = f"{cast.foreign.registry}/other/base:1"
    assert publish(cast, source=f"{cast.repository.gun}:0.9").parameters["source_login"] is True
    parameters = publish(cast, source=theirs).parameters
    assert (parameters["source_account"], parameters["source_login"]) == (cast.foreign.pk, False)
    assert publish(cast).parameters["source_account"] is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"tag": ""}, NoTag),
        ({"tag": "not a tag"}, InvalidName),
        ({"tag": "-x"}, InvalidName),
        ({"tag": "a" * 129}, InvalidName),
        ({"tag": Operation.STAGING_TAG}, InvalidName),
        ({"source": "alpine"}, NoTag),
        ({"source": "UPPER:1"}, InvalidName),
        ({"source": "a b:1"}, InvalidName),
        ({"source": ""}, InvalidName),
        ({"signer": None}, InvalidInput),
        ({"passphrase": ""}, InvalidInput),
        ({"sign": False}, InvalidInput),  # the account enforces trust
    ],
)
def test_what_cannot_work_is_refused_before_any_work(cast, changed, error):
    with pytest.raises(error) as refused:
        publish(cast, **changed)
    assert refused.value.next_step
    assert not Operation.objects.exists()
    assert not SealedSecret.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_signer_who_was_never_approved_is_sent_to_request_it(cast):
    new = factories.make_signer(cast.account, "new", user=cast.signer)
    with pytest.raises(CannotSign, match="never approved") as refused:
        publish(cast, signer=new)
    assert "Request the signer" in refused.value.next_step


def test_an_approved_name_with_another_key_does_not_count(cast):
    cast.alice.key = factories.make_key(cast.account, name="alice", owner=cast.signer)
    cast.alice.save()
    with pytest.raises(CannotSign, match="never approved"):
        publish(cast)


def test_a_signer_of_another_account_or_person_is_refused(cast):
    foreign = factories.make_signer(cast.foreign, "eve")
    with pytest.raises(InvalidInput):
        publish(cast, signer=foreign)
    with pytest.raises(NotAllowed, match="somebody else"):
        publish(cast, "developer")


def test_a_key_that_is_not_here_signs_with_its_holder(cast):
    cast.alice.key.custody = "client"
    cast.alice.key.save()
    operation = publish(cast, passphrase=None)
    assert (operation.state, take_secrets(operation)) == ("queued", {}), "its holder is asked when it comes to signing"


def test_an_unattended_key_sends_no_secret(cast):
    machine = factories.make_signer(cast.account, "ci", is_unattended=True)
    factories.approve_in_trust_data(cast.repository, cast.alice, machine)
    operation = publish(cast, "lead", signer=machine, passphrase=None)
    assert take_secrets(operation) == {}


def test_unsigned_is_allowed_where_the_account_does_not_enforce_trust(cast):
    cast.account.enforces_trust = False
    cast.account.save()
    cast.repository.refresh_from_db()
    operation = publish(cast, sign=False, signer=None, passphrase=None)
    assert queue.steps_of(operation) == ["resolve", "pull", "push", "release"]


@pytest.mark.parametrize("person", ["auditor", "outsider"])
def test_who_only_reads_publishes_and_pulls_nothing(cast, person):
    with pytest.raises(NotAllowed):
        publish(cast, person)
    with pytest.raises(NotAllowed):
        operations.pull_image(actor=getattr(cast, person), repository=cast.repository, tag="1.0")


def test_a_remote_digest_is_signed_without_an_engine(cast, one_event):
    with one_event("sign_digest"):
        operation = operations.sign_digest(
            actor=cast.signer,
            repository=cast.repository,
            tag="1.0",
            digest=DIGEST,
            length=528,
            signer=cast.alice,
            passphrase=PASSPHRASE,
        )
    assert queue.steps_of(operation) == ["sign"]
    assert operation.parameters == {"tag": "1.0", "digest": f"sha256:{DIGEST}", "length": 528}


@pytest.mark.parametrize(
    ("digest", "length"),
    [("sha256:abc", 1), ("md5:" + "a" * 32, 1), (DIGEST.upper().replace("5", "A"), 1), (DIGEST, 0)],
)
def test_a_malformed_digest_or_length_is_refused(cast, digest, length):
    with pytest.raises(InvalidInput):
        operations.sign_digest(
            actor=cast.signer,
            repository=cast.repository,
            tag="1.0",
            digest=digest,
            length=length,
            signer=cast.alice,
            passphrase=PASSPHRASE,
        )


def test_pulling_resolves_first(cast, one_event):
    with one_event("pull_image"):
        operation = operations.pull_image(actor=cast.developer, repository=cast.repository, tag="1.0")
    assert queue.steps_of(operation) == ["resolve", "pull"]
    assert operation.parameters["source"] == f"{cast.repository.gun}:1.0"


def fail(operation, **fields):
    Operation.objects.filter(pk=operation.pk).update(state="failed", error="broke", **fields)
    operation.refresh_from_db()
    return operation


def test_a_failed_publish_starts_over_with_a_new_passphrase(cast, one_event):
    operation = fail(publish(cast), step="sign", done_steps=["resolve", "pull", "push"], result={"digest": "x"})
    assert operation.outcome == "failed, nothing published"
    assert passphrases_needed(operation) == ["signer"]
    with pytest.raises(InvalidInput):
        operations.retry_operation(actor=cast.signer, operation=operation)
    with one_event("retry_operation"):
        operation = operations.retry_operation(actor=cast.signer, operation=operation, passphrase="another one")
    assert (operation.state, operation.step, operation.done_steps, operation.error) == ("queued", "resolve", [], "")
    assert take_secrets(operation) == {"signer": "another one"}


def test_a_publish_whose_signature_is_stored_goes_on_with_the_tag(cast):
    done = ["resolve", "pull", "push", "sign"]
    operation = fail(publish(cast), step="release", done_steps=done, result={"signature_stored": True, "digest": "x"})
    assert operation.outcome == "failed, signature stored, tag not moved"
    assert passphrases_needed(operation) == []
    operation = operations.retry_operation(actor=cast.signer, operation=operation)
    assert (operation.step, operation.done_steps, operation.result["digest"]) == ("release", done, "x")


def test_only_what_failed_is_tried_again(cast):
    with pytest.raises(TooLate):
        operations.retry_operation(actor=cast.signer, operation=publish(cast), passphrase=PASSPHRASE)


def test_nobody_retries_with_anothers_signer(cast):
    operation = fail(publish(cast))
    with pytest.raises(NotAllowed):
        operations.retry_operation(actor=cast.developer, operation=operation, passphrase=PASSPHRASE)
    with pytest.raises(NotAllowed):
        operations.retry_operation(actor=cast.lead, operation=operation, passphrase=PASSPHRASE)


def test_an_import_is_not_tried_again_without_its_file(cast):
    operation = fail(factories.make_operation("import_key", "import_key", account=cast.account))
    assert not is_retryable(operation)
    with pytest.raises(Conflict, match="used up"):
        operations.retry_operation(actor=cast.lead, operation=operation, passphrase=PASSPHRASE)


def test_a_failed_approval_is_tried_again_with_the_passphrases_it_needs(cast):
    factories.make_key(cast.account, "root")
    fresh = factories.make_repository(cast.account, "fresh")
    request = factories.make_request(cast.alice, [fresh], cast.developer)
    asked = {"request": request.pk}
    operation = fail(factories.make_operation("add_signer", "add_signer", fresh, signer=cast.alice, parameters=asked))
    assert passphrases_needed(operation) == ["root", "repository"]
    given = {"root": PASSPHRASE, "repository": "its own words"}
    operations.retry_operation(actor=cast.lead, operation=operation, passphrases=given)
    assert take_secrets(operation) == given


def test_what_waits_is_cancelled_at_once(cast, one_event):
    operation = publish(cast)
    with one_event("cancel_operation"):
        operation = operations.cancel_operation(actor=cast.signer, operation=operation)
    assert operation.state == Operation.State.CANCELLED
    assert not SealedSecret.objects.exists()


def test_cancelling_frees_the_repository_and_leaves_no_staging_tag(cast):
    operation = publish(cast)
    Operation.objects.update(step="sign", done_steps=["resolve", "pull", "push"])
    cast.repository.lease = operation
    cast.repository.save()
    operation = operations.cancel_operation(actor=cast.signer, operation=operation)
    cast.repository.refresh_from_db()
    assert cast.repository.lease is None
    assert operation.result["staging"] == "left"


def test_what_runs_stops_at_the_next_safe_point(cast):
    operation = publish(cast)
    Operation.objects.update(state="running", step="pull")
    operation = operations.cancel_operation(actor=cast.lead, operation=operation)
    assert (operation.state, operation.cancel_requested) == ("running", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "running", "step": "sign"},
        {"state": "queued", "step": "release", "result": {"signature_stored": True}},
        {"state": "done"},
        {"state": "failed"},
    ],
)
def test_what_can_no_longer_be_stopped_says_so(cast, fields):
    operation = publish(cast)
    Operation.objects.filter(pk=operation.pk).update(**fields)
    with pytest.raises(TooLate):
        operations.cancel_operation(actor=cast.signer, operation=operation)
    operation.refresh_from_db()
    assert operation.state == fields["state"]
    assert not operation.cancel_requested


def test_an_outsider_changes_nothing(cast):
    with pytest.raises(NotAllowed):
        operations.cancel_operation(actor=cast.outsider, operation=publish(cast))
