"""What the sweep puts right."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rq.timeouts import JobTimeoutException

from signing import jobs, queue
from signing.errors import NoEngine
from signing.jobs import run
from signing.models import ChangeRequest, EngineStatus, Operation, Repository, SealedSecret
from tests import factories
from tests.factories import PASSPHRASE


def ago(**span):
    return timezone.now() - timedelta(**span)


def test_an_expired_secret_is_deleted_and_its_operation_fails(world, secret):
    waiting = factories.make_operation("make_csr", "make_csr", account=world.cast.account)
    fresh = factories.make_operation("make_csr", "make_csr", account=world.cast.account)
    secret(waiting, signer=PASSPHRASE)
    SealedSecret.objects.update(expires_at=ago(seconds=1))
    secret(fresh, signer=PASSPHRASE)
    jobs.sweep()
    waiting.refresh_from_db()
    fresh.refresh_from_db()
    assert (waiting.state, waiting.error_code) == ("failed", "secret_gone")
    assert "15 minutes" in waiting.next_step or "anew" in waiting.next_step
    assert fresh.state == "queued"
    assert SealedSecret.objects.get().operation == fresh


def running(world, **fields):
    fields = {"claimed_at": ago(minutes=30), "alive_at": ago(minutes=11), "state": "running"} | fields
    return factories.make_operation("publish", fields.pop("step", "pull"), world.cast.repository, **fields)


def test_a_lost_step_is_queued_again_and_then_given_up(world):
    operation = running(world)
    for attempt in (1, 2):
        jobs.sweep()
        operation.refresh_from_db()
        assert (operation.state, operation.step, operation.attempts) == ("queued", "pull", attempt)
        Operation.objects.update(state="running", claimed_at=ago(minutes=20), alive_at=ago(minutes=11))
    jobs.sweep()
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "worker_lost")
    assert operation.outcome == "failed, nothing published"


def test_a_step_that_shows_life_is_left_alone(world):
    operation = running(world, alive_at=ago(seconds=20))
    jobs.sweep()
    operation.refresh_from_db()
    assert operation.state == "running"


def test_giving_up_frees_the_repository(world):
    operation = running(world, step="push", attempts=2)
    Repository.objects.filter(pk=world.cast.repository.pk).update(lease=operation)
    jobs.sweep()
    assert Repository.objects.get(pk=world.cast.repository.pk).lease is None


def test_a_worker_given_up_for_lost_can_no_longer_write(world):
    operation = factories.make_operation("refresh", "check_registry", world.cast.repository)
    claimed = run.Run.claim("check_registry", operation.pk)
    assert run.Run.claim("check_registry", operation.pk) is None
    Operation.objects.update(alive_at=ago(minutes=11))
    jobs.sweep()
    again = run.Run.claim("check_registry", operation.pk)
    for write in (claimed.keep_alive, claimed.save_result, claimed.complete, claimed.cancel):
        with pytest.raises(run.ClaimLost):
            write()
    with pytest.raises(run.ClaimLost):
        claimed.fail("x", "Too late.", "Nothing.")
    assert not operation.lines.filter(text="Too late.").exists()
    again.complete()
    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("done", "")


def test_a_step_that_takes_too_long_says_so(world):
    operation = factories.make_operation("refresh", "refresh", world.cast.repository)

    def slow(_):
        raise JobTimeoutException("too long")

    run.perform("refresh", operation.pk, slow)
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "timeout")
    assert "60 minutes" in operation.error


def test_a_lost_claim_ends_the_job_quietly(world):
    operation = factories.make_operation("refresh", "refresh", world.cast.repository)

    def overtaken(claimed):
        Operation.objects.update(claimed_at=timezone.now())

    run.perform("refresh", operation.pk, overtaken)
    operation.refresh_from_db()
    assert operation.state == "running"


def test_old_requests_expire(world):
    old = factories.make_request(
        world.cast.alice, [world.cast.repository], world.cast.signer, expires_at=ago(seconds=1)
    )
    new = factories.make_request(world.cast.alice, [world.cast.repository], world.cast.signer)
    jobs.sweep()
    assert dict(ChangeRequest.objects.values_list("pk", "state")) == {old.pk: "expired", new.pk: "waiting"}


def test_what_the_queue_lost_is_handed_over_again(world, settings, monkeypatch, django_capture_on_commit_callbacks):
    settings.TRUSTUI_QUEUE = "rq"
    handed = []
    monkeypatch.setattr(queue, "_enqueue_now", lambda name, pk: handed.append((name, pk)))

    def make(**fields):
        operation = factories.make_operation("refresh", "refresh", world.cast.repository, **fields)
        Operation.objects.filter(pk=operation.pk).update(created_at=ago(minutes=1))
        return operation.pk

    lost, held = make(), make()
    later, ended = make(run_after=timezone.now() + timedelta(minutes=1)), make(state="done")
    left = make(state="failed", result={"staging": "left"})
    fresh = factories.make_operation("refresh", "refresh", world.cast.repository).pk
    monkeypatch.setattr(queue, "held_jobs", lambda name: {("refresh", held)} if name == "signing" else set())
    with django_capture_on_commit_callbacks(execute=True):
        jobs.sweep()
    assert handed == [("refresh", lost), ("clean_staging", left)]
    assert {later, ended, fresh}.isdisjoint(pk for _, pk in handed)


def test_the_engines_state_is_one_row(world):
    world.engine.images |= {"alpine:3.20": b"", f"{world.cast.repository.gun}:trustui-staging": b""}
    jobs.engine_status()
    world.engine.fails["status"] = NoEngine("No Engine answers.")
    row = EngineStatus.objects.get()
    assert (row.is_available, row.version, row.images) == (True, "28.2.2", ["alpine:3.20"])
    jobs.engine_status()
    row = EngineStatus.objects.get()
    assert not row.is_available
    assert row.reason.startswith("No Engine answers.")
