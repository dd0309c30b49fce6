"""One image from its source to its public tag, and everything that can stop it on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing import jobs
from signing.errors import NoEngine, RegistryDenied, RegistryUnreachable, TransferFailed
from signing.models import Account, Operation, Repository, SealedSecret, SignedTag
from signing.services import operations
from signing.trust.errors import ServerUnreachable
from tests import factories
from tests.factories import PASSPHRASE
from tests.unit.jobs.fakes import digest_of

OLD = "sha256:" + "0" * 64


@pytest.fixture(autouse=True)
def old_tag(approved):
    """The tag exists already and points to an older image."""
    approved.registry.tags[approved.path, "1.0"] = OLD
    return approved


def publish(world, **changed):
    values = {
        "actor": world.cast.signer,
        "repository": world.cast.repository,
        "source": "alpine:3.20",
        "tag": "1.0",
        "signer": world.cast.alice,
        "passphrase": PASSPHRASE,
    } | changed
    return operations.publish_image(**values)


def tag_of(world, tag="1.0"):
    return world.registry.tags.get((world.path, tag))


def assert_nothing_published(world, operation, code):
    assert (operation.state, operation.error_code) == ("failed", code), operation.error
    assert operation.outcome == "failed, nothing published"
    assert operation.error
    assert operation.next_step
    assert tag_of(world) == OLD
    assert not SignedTag.objects.exists()
    world.cast.repository.refresh_from_db()
    assert world.cast.repository.lease is None
    assert not SealedSecret.objects.exists()


def test_the_whole_way(approved):
    operation = approved.run(publish(approved))
    assert (operation.state, operation.error, operation.outcome) == ("done", "", "published")
    assert operation.done_steps == ["resolve", "pull", "push", "sign", "release"]
    digest = digest_of(approved.engine.images["docker.io/library/alpine:3.20"])
    assert tag_of(approved) == digest == operation.result["digest"]
    assert tag_of(approved, "trustui-staging") is None
    row = SignedTag.objects.get()
    assert (row.tag, f"sha256:{row.digest}", row.signers) == ("1.0", digest, ["alice"])
    approved.cast.repository.refresh_from_db()
    assert approved.cast.repository.lease is None
    assert operation.layers == {"abc": {"status": "Downloading", "current": 1, "total": 2}}
    lines = [line.text for line in operation.lines.all()]
    assert any("read back" in line for line in lines)
    assert f"1.0 is signed: {digest[:19]} by alice." in lines
    assert not SealedSecret.objects.exists()


def test_the_tag_moves_only_after_the_signature_is_stored_and_read_back(approved):
    operation = approved.run(publish(approved), until="sign")
    assert tag_of(approved) == OLD
    assert tag_of(approved, "trustui-staging") == operation.result["digest"]
    operation = approved.run(operation, until="release")
    assert operation.is_signature_stored
    assert SignedTag.objects.exists()
    assert tag_of(approved) == OLD
    approved.run(operation)
    assert tag_of(approved) == operation.result["digest"]


def test_each_step_run_twice_does_its_work_once(approved):
    operation = publish(approved)
    for step in ("resolve", "pull", "push", "sign", "release"):
        getattr(jobs, step)(operation.pk)
        getattr(jobs, step)(operation.pk)
    operation.refresh_from_db()
    assert operation.state == "done"
    assert len(approved.engine.pulled) == 1
    assert len(approved.notary.posted) == 2  # the delegation before, and this signature


def test_a_step_out_of_turn_does_nothing(approved):
    operation = publish(approved)
    jobs.release(operation.pk)
    jobs.sign(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.step) == ("queued", "resolve")


def test_an_image_of_the_engine_is_published_without_a_pull(approved):
    approved.engine.images["demo:latest"] = b"{}"
    operation = approved.run(publish(approved, source="demo:latest", from_local=True))
    assert (operation.state, operation.error) == ("done", "")
    assert approved.engine.pulled == []


def test_a_signed_source_is_pulled_by_its_verified_digest(approved):
    approved.run(publish(approved))
    source = f"{approved.cast.repository.gun}:1.0"
    operation = approved.run(publish(approved, source=source, tag="2.0"))
    assert (operation.state, operation.error) == ("done", "")
    pinned = f"{approved.cast.repository.gun}@{tag_of(approved)}"
    assert approved.engine.pulled[-1] == pinned
    assert operation.result["is_source_verified"] is True
    assert source in approved.engine.images


def test_an_unsigned_source_of_an_enforcing_account_is_refused(approved):
    approved.registry.tags[approved.path, "unsigned"] = OLD
    operation = approved.run(publish(approved, source=f"{approved.cast.repository.gun}:unsigned"))
    assert_nothing_published(approved, operation, "no_such_target")
    assert "enforces trust" in operation.error
    assert approved.engine.pulled == []


def test_a_source_digest_that_was_never_signed_is_refused_too(approved):
    operation = approved.run(publish(approved, source=f"{approved.cast.repository.gun}@{OLD}"))
    assert_nothing_published(approved, operation, "no_such_target")


def test_an_unsigned_source_is_taken_where_nobody_insists(approved):
    Account.objects.update(enforces_trust=False)
    operation = approved.run(publish(approved, source=f"{approved.cast.repository.gun}:unsigned"))
    assert (operation.state, operation.error) == ("done", "")
    assert any("without a signature" in line.text for line in operation.lines.all())
    assert operation.result["is_source_verified"] is False


def test_the_registry_login_of_a_foreign_account_is_not_used(approved, monkeypatch):
    from signing import wiring

    monkeypatch.setattr(wiring, "login_for", lambda account: account and account.name)
    Account.objects.update(enforces_trust=False)
    source = f"{approved.cast.foreign.registry}/other/base:1"
    approved.run(publish(approved, source=source))
    assert approved.engine.logins == [None, "team"]


@pytest.mark.parametrize(
    ("step", "error"),
    [("pull", NoEngine("No Engine.")), ("push", RegistryDenied("Denied.")), ("push", TransferFailed("Broke off."))],
)
def test_an_engine_that_fails_publishes_nothing(approved, step, error):
    approved.engine.fails[step] = error
    operation = approved.run(publish(approved))
    assert_nothing_published(approved, operation, error.code)
    assert (operation.error, operation.next_step) == (error.message, error.next_step)
    assert operation.step == step


def test_an_image_the_engine_does_not_have_is_named(approved):
    operation = approved.run(publish(approved, source="missing:1", from_local=True))
    assert_nothing_published(approved, operation, "unknown_image")


def test_a_trust_server_that_dies_before_it_stored_publishes_nothing(approved):
    operation = approved.run(publish(approved), until="sign")
    approved.notary.fault = ServerUnreachable("The trust server does not answer.")
    operation = approved.run(operation)
    assert_nothing_published(approved, operation, "server_unreachable")
    assert approved.cast.repository.verdict == Repository.Verdict.UNREACHABLE
    assert operation.result["staging"] == "left"
    jobs.clean_staging(operation.pk)
    assert tag_of(approved, "trustui-staging") is None
    operation.refresh_from_db()
    assert "removed" in operation.result["staging"]


def test_a_trust_server_that_dies_before_the_read_back_does_not_move_the_tag(approved):
    def die():
        approved.notary.fault = ServerUnreachable("The connection broke.")

    operation = approved.run(publish(approved), until="sign")
    approved.notary.after_post = die
    operation = approved.run(operation)
    assert_nothing_published(approved, operation, "server_unreachable")
    assert any("next check shows it" in line.text for line in operation.lines.all())


def test_after_that_a_retry_finds_the_signature_and_moves_the_tag(approved):
    test_a_trust_server_that_dies_before_the_read_back_does_not_move_the_tag(approved)
    approved.notary.fault = None
    approved.notary.after_post = lambda: None
    operation = Operation.objects.get(kind="publish")
    operation = operations.retry_operation(actor=approved.cast.signer, operation=operation, passphrase=PASSPHRASE)
    operation = approved.run(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert tag_of(approved) == operation.result["digest"]


def test_a_wrong_passphrase_publishes_nothing(approved):
    operation = approved.run(publish(approved, passphrase="wrong words"))
    assert_nothing_published(approved, operation, "wrong_passphrase")
    assert "wrong words" not in str(Operation.objects.values()) + str([line.text for line in operation.lines.all()])


def test_a_passphrase_that_waited_too_long_publishes_nothing(approved):
    operation = approved.run(publish(approved), until="sign")
    SealedSecret.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    operation = approved.run(operation)
    assert_nothing_published(approved, operation, "secret_gone")


def test_a_signer_whose_delegation_is_gone_cannot_sign(approved):
    """The stored row still lists the signer; the trust data decides."""
    other = factories.make_repository(approved.cast.account, "other")
    bob = factories.make_signer(approved.cast.account, "bob", user=approved.cast.signer)
    assert approved.approve(bob, other).state == "done"
    factories.approve_in_trust_data(approved.cast.repository, approved.cast.alice, bob)
    operation = approved.run(publish(approved, signer=bob))
    assert_nothing_published(approved, operation, "cannot_sign")
    assert "does not list this key" in operation.error


def test_an_unexpected_error_is_plain_and_without_its_text(approved):
    approved.engine.fails["pull"] = RuntimeError("PASSPHRASE-CANARY")
    operation = approved.run(publish(approved))
    assert_nothing_published(approved, operation, "internal")
    assert "RuntimeError" in operation.error
    assert "CANARY" not in operation.error


def test_a_registry_that_fails_after_the_signature_is_tried_again_five_times(approved):
    approved.registry.fails["put"] = RegistryUnreachable("The registry does not answer.")
    operation = publish(approved)
    for attempt in range(1, 5):
        operation = approved.run(operation)
        assert (operation.state, operation.step, operation.attempts) == ("queued", "release", attempt)
        assert operation.run_after > timezone.now()
        jobs.release(operation.pk)  # too early: nothing happens
        Operation.objects.update(run_after=timezone.now())
        operation.run_after = None
        jobs.release(operation.pk)
        operation.refresh_from_db()
        if operation.state == "failed":
            break
    assert operation.state == "failed"
    assert operation.attempts == 5
    assert operation.outcome == "failed, signature stored, tag not moved"
    assert operation.error.startswith("The signature is stored, but the tag 1.0 was not moved")
    assert "the old one still stands" in operation.error
    assert operation.error_code == "registry_unreachable"
    assert tag_of(approved) == OLD
    approved.cast.repository.refresh_from_db()
    assert approved.cast.repository.lease is None
    approved.registry.fails.clear()
    operation = approved.run(operations.retry_operation(actor=approved.cast.signer, operation=operation))
    assert (operation.state, tag_of(approved)) == ("done", operation.result["digest"])


def test_a_registry_that_recovers_is_enough(approved):
    approved.registry.fails["put"] = RegistryUnreachable("The registry does not answer.")
    operation = approved.run(publish(approved))
    approved.registry.fails.clear()
    Operation.objects.update(run_after=timezone.now())
    jobs.release(operation.pk)
    operation.refresh_from_db()
    assert (operation.state, operation.error, operation.attempts) == ("done", "", 0)


def test_a_registry_that_says_yes_and_does_nothing_is_not_believed(approved):
    approved.registry.ignores_puts = True
    operation = approved.run(publish(approved))
    assert (operation.state, operation.step, operation.error_code) == ("queued", "release", "bad_registry_answer")
    assert tag_of(approved) == OLD


def test_a_registry_that_removes_too_much_gets_the_tag_back(approved):
    approved.registry.deletes_by_digest = True
    operation = approved.run(publish(approved))
    assert (operation.state, tag_of(approved)) == ("done", operation.result["digest"])
    assert any("put back" in line.text for line in operation.lines.all())


def test_a_length_the_registry_does_not_confirm_is_never_signed(approved):
    approved.engine.reported_size = 4711
    operation = approved.run(publish(approved))
    assert_nothing_published(approved, operation, "bad_registry_answer")
    assert (operation.step, operation.result["staging"]) == ("push", "left")


def test_a_manifest_that_is_gone_before_the_release_is_told(approved):
    operation = approved.run(publish(approved), until="release")
    approved.registry.manifests.clear()
    operation = approved.run(operation)
    assert operation.error.startswith("The signature is stored, but the tag 1.0 was not moved")
    assert tag_of(approved) == OLD


def test_the_engine_is_closed_after_every_step(approved):
    approved.run(publish(approved))
    assert not approved.engine.is_open


def test_cleaning_leaves_the_staging_tag_of_a_publish_that_uses_it(approved):
    failed = approved.run(publish(approved), until="sign")
    Operation.objects.filter(pk=failed.pk).update(state="failed", result={"staging": "left"})
    running = approved.run(publish(approved, tag="2.0"), until="sign")
    jobs.clean_staging(failed.pk)
    assert tag_of(approved, "trustui-staging") == running.result["digest"]
    failed.refresh_from_db()
    assert f"Operation {running.pk} uses" in failed.result["staging"]
    assert approved.run(running).state == "done"


def test_an_answer_lost_after_the_tag_moved_counts_as_moved(approved):
    approved.registry.fails["lost"] = RegistryUnreachable("The connection broke.")
    approved.registry.loses_answers = True
    operation = approved.run(publish(approved))
    assert (operation.state, tag_of(approved)) == ("done", operation.result["digest"])


def test_a_staging_tag_that_stays_is_told_and_no_failure(approved):
    approved.registry.deletes = False
    operation = approved.run(publish(approved))
    assert operation.state == "done"
    assert "placeholder" in operation.result["staging"]
    approved.registry.fails["delete"] = RegistryDenied("Denied.")
    operation = approved.run(publish(approved))
    assert operation.state == "done"
    assert "could not be removed" in operation.result["staging"]


def test_unsigned_publishing_moves_the_tag_and_signs_nothing(approved):
    Account.objects.update(enforces_trust=False)
    approved.cast.repository.refresh_from_db()
    operation = approved.run(publish(approved, sign=False, signer=None, passphrase=None))
    assert (operation.state, tag_of(approved)) == ("done", operation.result["digest"])
    assert not SignedTag.objects.exists()


def test_one_publish_per_repository_at_a_time(approved):
    first, second = publish(approved), publish(approved, tag="2.0")
    first = approved.run(first, until="sign")
    second = approved.run(second)
    assert (second.state, second.step) == ("queued", "push")
    assert Repository.objects.get(pk=approved.cast.repository.pk).lease == first
    assert approved.run(first).state == "done"
    assert approved.run(second).state == "done"


def test_a_publish_of_another_repository_does_not_wait(approved):
    other = factories.make_repository(approved.cast.account, "other")
    approved.approve(repository=other)
    approved.run(publish(approved), until="sign")
    operation = approved.run(publish(approved, repository=other))
    assert (operation.state, operation.error) == ("done", "")


def test_a_lease_of_a_finished_operation_holds_nobody_up(approved):
    dead = factories.make_operation("publish", "sign", approved.cast.repository, state="failed")
    Repository.objects.update(lease=dead)
    assert approved.run(publish(approved)).state == "done"


def test_a_cancel_during_the_pull_stops_there(approved):
    operation = publish(approved)

    def cancel(*_):
        operations.cancel_operation(actor=approved.cast.signer, operation=operation)
        return ("abc", "Downloading", 1, 2)

    class Events:
        def __iter__(self):
            yield cancel()

    approved.engine.progress_events = Events()
    operation = approved.run(operation)
    assert operation.state == "cancelled"
    assert approved.engine.pulled == []
    assert tag_of(approved) == OLD
    assert not SealedSecret.objects.exists()


def test_progress_is_written_at_most_every_300_ms(approved, django_assert_max_num_queries):
    approved.engine.progress_events = [("abc", "Downloading", n, 2000) for n in range(2000)]
    operation = approved.run(publish(approved), until="pull")
    with django_assert_max_num_queries(60):
        jobs.pull(operation.pk)
    operation.refresh_from_db()
    assert operation.layers["abc"]["current"] == 1999


def test_pulling_gets_the_verified_digest_and_the_tag(approved):
    approved.run(publish(approved))
    operation = operations.pull_image(actor=approved.cast.developer, repository=approved.cast.repository, tag="1.0")
    operation = approved.run(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert approved.engine.pulled[-1].endswith(tag_of(approved))
    assert f"{approved.cast.repository.gun}:1.0" in approved.engine.images


def test_pulling_an_unsigned_tag_of_an_enforcing_account_is_refused(approved):
    operation = operations.pull_image(actor=approved.cast.developer, repository=approved.cast.repository, tag="9")
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "no_such_target")
    assert approved.engine.pulled == []
