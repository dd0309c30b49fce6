"""Names, queues and the two ways of handing work over."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from signing import jobs, queue, schedule
from signing.management.commands import poll_worker
from signing.models import Operation, Repository
from tests import factories


def test_every_job_name_has_an_entry_point_and_a_queue():
    ticks = {tick.name for tick in schedule.TICKS}
    assert set(jobs.__all__) == set(queue.QUEUES) | ticks | {"check_batch"}  # what the tick hands out
    assert set(queue.QUEUES.values()) == {queue.SIGNING, queue.DOCKER}
    assert all(callable(getattr(jobs, name)) for name in jobs.__all__)


def test_steps_that_open_keys_are_never_in_the_docker_queue():
    assert {"sign", "add_signer", "generate_key", "import_key", "make_csr"}.isdisjoint(queue.jobs_of(queue.DOCKER))
    assert {"pull", "push", "release"}.isdisjoint(queue.jobs_of(queue.SIGNING))
    assert queue.jobs_of(queue.NOTICES) == []  # its ticks are all it does


@pytest.mark.parametrize("kind", Operation.Kind.values)
def test_every_kind_has_steps_with_queues(kind):
    steps = queue.steps_of(Operation(kind=kind))
    assert steps
    assert all(step in queue.QUEUES for step in steps)
    assert [queue.step_after(Operation(kind=kind), step) for step in steps] == [*steps[1:], None]


class StubQueue:
    def __init__(self):
        self.jobs = []

    def enqueue(self, name, *arguments, job_id, **options):
        self.jobs.append((name, arguments, job_id))

    def get_job_ids(self):
        return [job_id for _, _, job_id in self.jobs]


@pytest.fixture
def stub(settings, monkeypatch):
    settings.TRUSTUI_QUEUE = "rq"
    stub = StubQueue()
    monkeypatch.setattr(queue.django_rq, "get_queue", lambda name: stub)
    return stub


@pytest.mark.django_db
def test_only_a_name_and_an_id_leave_and_only_on_commit(stub, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue(queue.SIGN, 7)
        assert stub.jobs == []
    ((name, arguments, _),) = stub.jobs
    assert (name, arguments) == ("signing.jobs.sign", (7,))
    assert queue.held_jobs(queue.SIGNING) == {("sign", 7)}


@pytest.mark.django_db
def test_a_broker_that_is_down_does_not_break_the_page(stub, monkeypatch, django_capture_on_commit_callbacks):
    def down(*_, **__):
        raise RedisConnectionError("no")

    monkeypatch.setattr(stub, "enqueue", down)
    with django_capture_on_commit_callbacks(execute=True):
        queue.enqueue(queue.SIGN, 7)


def test_ticks_in_the_queue_are_no_operations(stub):
    queue.enqueue_tick("sweep", queue.SIGNING)
    assert stub.jobs[0][:2] == ("signing.jobs.sweep", ())
    assert queue.held_jobs(queue.SIGNING) == set()


WEB_MODULES = """
signing.models signing.permissions signing.queue signing.sealing signing.leases signing.endings signing.schedule
signing.services.accounts signing.services.keys signing.services.operations signing.services.repositories
signing.services.requests signing.services.signers signing.services.trust_servers
signing.selectors.overview signing.selectors.audit signing.selectors.trust_servers
"""


def test_nothing_the_web_imports_can_open_a_key():
    code = f"""
import sys, django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "signing"],
                   AUTH_USER_MODEL="signing.User", TRUSTUI_QUEUE="none")
django.setup()
from importlib import import_module
for name in {WEB_MODULES.split()!r}:
    import_module(name)
forbidden = ("signing.jobs", "signing.wiring", "signing.adapters", "signing.server", "signing.trust.keystore",
             "signing.trust.notary.repository")
print([name for name in sys.modules if name.startswith(forbidden)])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Burst:
    """A polling worker of each queue, in turn, until nothing is left."""

    def __init__(self):
        self.workers = [poll_worker.PollWorker(name) for name in (queue.SIGNING, queue.DOCKER)]

    def run(self):
        for _ in range(6):
            for worker in self.workers:
                worker.run(threading.Event(), is_burst=True)


@pytest.fixture
def no_closing(monkeypatch):
    monkeypatch.setattr(poll_worker, "close_old_connections", lambda: None)


def publish(world, tag="1.0"):
    from signing.services.operations import publish_image
    from tests.factories import PASSPHRASE

    return publish_image(
        actor=world.cast.signer,
        repository=world.cast.repository,
        source="alpine:3.20",
        tag=tag,
        signer=world.cast.alice,
        passphrase=PASSPHRASE,
    )


def test_polling_workers_do_the_whole_way_from_the_table(approved, no_closing):
    operation = publish(approved)
    Burst().run()
    operation.refresh_from_db()
    assert (operation.state, operation.error) == ("done", "")


def test_a_polling_worker_takes_its_own_queue_only(approved, no_closing):
    operation = publish(approved)
    poll_worker.PollWorker(queue.DOCKER).run(threading.Event(), is_burst=True)
    operation.refresh_from_db()
    assert (operation.state, operation.step) == ("queued", "resolve")


def test_a_polling_worker_does_not_spin_on_a_publish_that_waits_for_its_repository(approved, no_closing):
    operation = publish(approved)
    holder = factories.make_operation("publish", "release", approved.cast.repository, state="running")
    Repository.objects.filter(pk=approved.cast.repository.pk).update(lease=holder)
    Burst().run()  # ends, instead of claiming and giving back for ever
    operation.refresh_from_db()
    assert (operation.state, operation.step) == ("queued", "push")


def test_a_polling_worker_runs_its_ticks_and_survives_a_broken_job(world, no_closing, monkeypatch):
    called = []
    monkeypatch.setattr(jobs, "sweep", lambda: called.append("sweep"))

    def broken():
        called.append("refresh_due")
        raise RuntimeError("broken")

    monkeypatch.setattr(jobs, "refresh_due", broken)
    poll_worker.PollWorker(queue.SIGNING).run(threading.Event(), is_burst=True)
    assert called == ["sweep", "refresh_due"]


def test_a_polling_worker_cleans_what_a_failed_publish_left(approved, no_closing):
    approved.registry.tags[approved.path, "trustui-staging"] = "sha256:x"
    left = factories.make_operation(
        "publish", "sign", approved.cast.repository, state="failed", result={"staging": "left"}
    )
    poll_worker.PollWorker(queue.DOCKER).run(threading.Event(), is_burst=True)
    left.refresh_from_db()
    assert (approved.path, "trustui-staging") not in approved.registry.tags
    assert "removed" in left.result["staging"]
