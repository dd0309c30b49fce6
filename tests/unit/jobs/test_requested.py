"""Approved requests of every kind become trust data, byte for byte as approved, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from signing import jobs
from signing.approvals import checking
from signing.models import AuditEvent, ChangeRequest, Happening, Key, Operation, Policy
from signing.selectors.requests import preview_of
from signing.services.operations import sign_digest
from signing.services.requests import (
    approve_request,
    renew_request,
    request_revocation,
    request_rotation,
    request_signature,
    request_signer,
    request_signer_removal,
    retry_request,
)
from signing.trust.errors import ServerUnreachable
from signing.trust.notary.lines import diff_lines
from tests import factories
from tests.factories import DIGEST, PASSPHRASE
from tests.unit.jobs.conftest import World

ALL = {"root": PASSPHRASE, "new_root": "the next root", "repository": "its own words", "signer": PASSPHRASE}


@pytest.fixture
def signed(approved: World) -> World:
    """The repository with alice as its signer and one tag of hers."""
    operation = sign_digest(
        actor=approved.cast.signer,
        repository=approved.cast.repository,
        tag="1.0",
        digest=DIGEST,
        length=528,
        signer=approved.cast.alice,
        passphrase=PASSPHRASE,
    )
    assert approved.run(operation).error == ""
    approved.cast.repository.refresh_from_db()
    return approved


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, list[str]]]:
    """What the worker compared: the lines before signing, and those read back."""
    found: list[tuple[bool, list[str]]] = []
    real = checking.ApprovedLines.__call__

    def watched(self, before, update, is_there):
        found.append((is_there, diff_lines(before, update)))
        return real(self, before, update, is_there)

    monkeypatch.setattr(checking.ApprovedLines, "__call__", watched)
    return found


def approve(world: World, request: ChangeRequest, **given: str) -> ChangeRequest:
    return approve_request(actor=world.cast.lead, request=request, passphrases={**ALL, **given})


def carry_out(world: World, request: ChangeRequest) -> list[Operation]:
    done = [world.run(item.operation) for item in request.items.order_by("repository__gun")]
    world.cast.repository.refresh_from_db()
    return done


def ask_removal(world: World) -> ChangeRequest:
    bob = factories.make_signer(world.cast.account, "bob", user=world.cast.developer)
    assert world.approve(bob).error == ""
    return request_signer_removal(
        actor=world.cast.developer, signer=world.cast.alice, repositories=[world.cast.repository]
    )


def ask_revocation(world: World) -> ChangeRequest:
    return request_revocation(actor=world.cast.developer, repository=world.cast.repository, tag="1.0")


def ask_signature(world: World) -> ChangeRequest:
    return request_signature(
        actor=world.cast.developer,
        repository=world.cast.repository,
        tag="2.0",
        digest=f"sha256:{'ab' * 32}",
        length=7,
        signer=world.cast.alice,
    )


def ask_rotation(role: str) -> Callable[[World], ChangeRequest]:
    return lambda world: request_rotation(
        actor=world.cast.other_lead, repositories=[world.cast.repository], role=role, reason="due"
    )


def ask_addition(world: World) -> ChangeRequest:
    bob = factories.make_signer(world.cast.account, "bob", user=world.cast.developer)
    return request_signer(actor=world.cast.signer, signer=bob, repositories=[world.cast.repository])


KINDS = {
    "add a signer": ask_addition,
    "remove a signer": ask_removal,
    "sign": ask_signature,
    "revoke": ask_revocation,
    "rotate targets": ask_rotation("targets"),
    "rotate snapshot": ask_rotation("snapshot"),
    "rotate root": ask_rotation("root"),
}


@pytest.mark.parametrize("ask", KINDS.values(), ids=KINDS)
def test_the_preview_equals_what_is_signed_and_what_is_then_read_back(signed, seen, ask):
    request = ask(signed)
    seen.clear()
    shown = list(preview_of(request)[0].lines)
    request = approve(signed, request)
    if request.items.get().operation is None:  # it waits for the signer's own passphrase
        request = retry_request(actor=signed.cast.signer, request=request, passphrases=ALL)
    operation = carry_out(signed, request)[0]
    assert (operation.state, operation.error) == ("done", "")
    assert shown
    assert seen == [(False, shown), (True, shown)]


def test_the_first_signer_is_previewed_byte_for_byte_too(world, seen):
    request = request_signer(actor=world.cast.developer, signer=world.cast.alice, repositories=[world.cast.repository])
    shown = list(preview_of(request)[0].lines)
    root = Key.objects.get(purpose="root")
    assert any(f"<new certificate of the key {root.key_id}>" in line for line in shown)
    assert carry_out(world, approve(world, request))[0].error == ""
    assert seen == [(False, shown), (True, shown)]


@pytest.mark.parametrize("ask", KINDS.values(), ids=KINDS)
def test_what_changed_after_the_approval_is_not_signed(signed, ask):
    request = ask(signed)
    request = approve(signed, request)
    if request.items.get().operation is None:
        request = retry_request(actor=signed.cast.signer, request=request, passphrases=ALL)
    item = request.items.get()
    item.diff = [*item.diff, '+ targets delegations.roles "targets/eve" {}']
    item.save()
    posts = len(signed.notary.posted)
    operation = carry_out(signed, request)[0]
    assert (operation.state, operation.error_code) == ("failed", "not_as_approved")
    assert len(signed.notary.posted) == posts


def test_a_repository_that_changed_meanwhile_needs_another_approval(signed):
    """Somebody else published in between, with other tools: the approved removal would sign something else."""
    bob = factories.make_signer(signed.cast.account, "bob")
    assert signed.approve(bob).error == ""
    request = request_signer_removal(actor=signed.cast.developer, signer=bob, repositories=[signed.cast.repository])
    request = approve(signed, request)
    other = factories.make_signer(signed.cast.account, "bobs-twin", key=bob.key)
    assert signed.approve(other).error == ""  # bob's key stays in releases now
    posts = len(signed.notary.posted)
    operation = carry_out(signed, request)[0]
    assert (operation.state, operation.error_code) == ("failed", "not_as_approved")
    assert "not what was approved" in operation.error
    assert len(signed.notary.posted) == posts
    fresh = renew_request(actor=signed.cast.developer, request=request)
    assert fresh.follows == request
    assert not fresh.decisions.exists()
    assert carry_out(signed, approve(signed, fresh))[0].error == ""
    assert "bob" not in [entry["name"] for entry in signed.cast.repository.signers]


@pytest.mark.parametrize("ask", KINDS.values(), ids=KINDS)
def test_a_worker_that_is_lost_after_it_published_does_it_once(signed, ask, monkeypatch):
    request = approve(signed, ask(signed))
    if request.items.get().operation is None:
        request = retry_request(actor=signed.cast.signer, request=request, passphrases=ALL)
    operation = request.items.get().operation

    class Lost(BaseException):
        pass

    def lose(*_):
        raise Lost

    with monkeypatch.context() as patched:
        for module in ("signing.jobs.requested.note", "signing.jobs.trust.note"):
            patched.setattr(module, lose)
        with pytest.raises(Lost):
            getattr(jobs, operation.step)(operation.pk)
    posts = len(signed.notary.posted)
    Operation.objects.update(state="queued", claimed_at=None, attempts=1)
    operation = signed.run(Operation.objects.get(pk=operation.pk))
    assert (operation.state, operation.error) == ("done", "")
    assert len(signed.notary.posted) == posts


def test_removing_the_only_signer_says_what_stops_verifying(signed):
    request = request_signer_removal(actor=None, signer=signed.cast.alice, repositories=[signed.cast.repository])
    preview = preview_of(request)[0]
    assert preview.affected_tags == ("1.0",)
    assert preview.unsignable == ("targets/releases",)
    assert carry_out(signed, approve(signed, request))[0].error == ""
    assert not signed.cast.repository.tags.exists()
    assert signed.cast.repository.signers == []


def test_a_new_root_key_is_one_for_all_repositories_of_the_request(signed):
    second = factories.make_repository(signed.cast.account, "second")
    assert signed.approve(repository=second).error == ""
    request = request_rotation(actor=signed.cast.other_lead, repositories=[signed.cast.repository, second], role="root")
    operations = carry_out(signed, approve(signed, request))
    assert [operation.error for operation in operations] == ["", ""]
    roots = list(Key.objects.filter(purpose="root").order_by("pk"))
    assert len(roots) == 2
    assert {operation.key for operation in operations} == {roots[1]}
    third = factories.make_repository(signed.cast.account, "third")
    given = {"root": "the next root"}  # the newest one vouches for what comes
    request = request_signer(actor=signed.cast.developer, signer=signed.cast.alice, repositories=[third])
    assert carry_out(signed, approve(signed, request, **given))[0].error == ""


def test_what_was_done_is_announced_once(signed):
    request = approve(signed, ask_revocation(signed))
    request = retry_request(actor=signed.cast.signer, request=request, passphrases=ALL)
    Happening.objects.all().delete()
    operation = carry_out(signed, request)[0]
    jobs.revoke(operation.pk)
    assert list(Happening.objects.values_list("event", "subject")) == [
        ("revoked", f"{signed.cast.repository.gun}:1.0 is revoked.")
    ]
    assert not signed.cast.repository.tags.exists()


def test_failed_work_is_announced_with_its_cause(approved):
    request = approve(approved, ask_addition(approved))
    approved.notary.fault = ServerUnreachable("No answer.")
    carry_out(approved, request)
    happening = Happening.objects.get(event="failed")
    assert "No answer." in happening.subject
    assert happening.request == request


def test_signing_without_the_approval_that_the_policy_wants_is_refused_by_the_worker_too(approved):
    operation = sign_digest(
        actor=approved.cast.signer,
        repository=approved.cast.repository,
        tag="1.0",
        digest=DIGEST,
        length=528,
        signer=approved.cast.alice,
        passphrase=PASSPHRASE,
    )
    Policy.objects.create(account=approved.cast.account, needed_to_sign=1)
    operation = approved.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "not_as_approved")


@pytest.mark.parametrize("forged", [{"needed_approvals": 1}, {"state": "approved"}])
def test_a_row_that_only_claims_to_be_approved_signs_nothing(approved, forged):
    request = ask_addition(approved)
    ChangeRequest.objects.filter(pk=request.pk).update(**{"state": "approved"} | forged)
    operation = factories.make_operation(
        "add_signer",
        "add_signer",
        approved.cast.repository,
        signer=request.signer,
        parameters={"request": request.pk},
    )
    operation = approved.run(operation)
    assert operation.error_code == "not_as_approved"


def test_an_approval_does_not_serve_another_tag(signed):
    request = approve(signed, ask_revocation(signed))
    request = retry_request(actor=signed.cast.signer, request=request, passphrases=ALL)
    operation = request.items.get().operation
    operation.parameters["tag"] = "2.0"
    operation.save()
    assert signed.run(operation).error_code == "not_as_approved"


# many repositories


def test_fifty_repositories_three_fail_and_the_retry_finishes_only_these(world, monkeypatch):
    cast, account = world.cast, world.cast.account
    Key.objects.filter(purpose="root").delete()
    factories.make_key(account, "root", is_unattended=True)
    repositories = [factories.make_repository(account, f"app{number:02}") for number in range(50)]
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=repositories)
    request = approve_request(actor=cast.lead, request=request)
    broken = {repository.gun for repository in repositories[10:13]}
    real = world.notary.post

    def post(gun, files):
        if str(gun) in broken:
            raise ServerUnreachable("No answer.")
        return real(gun, files)

    monkeypatch.setattr(world.notary, "post", post)
    carry_out(world, request)
    states = dict(request.items.values_list("repository__gun", "operation__state"))
    assert sorted(gun for gun, state in states.items() if state == "failed") == sorted(broken)
    assert sum(state == "done" for state in states.values()) == 47
    assert set(request.items.filter(operation__state="failed").values_list("operation__error", flat=True)) == {
        "No answer."
    }
    done = set(request.items.filter(operation__state="done").values_list("operation", "operation__finished_at"))
    broken.clear()
    retry_request(actor=cast.lead, request=request)
    waiting = Operation.objects.filter(state="queued")
    assert waiting.count() == 3
    carry_out(world, request)
    assert set(request.items.values_list("operation__state", flat=True)) == {"done"}
    assert done <= set(request.items.values_list("operation", "operation__finished_at"))


# time


@pytest.fixture
def ending(world):
    """Alice, let in until tomorrow; `removes_itself` as the test wants it."""

    def let_in(*, removes_itself: bool, is_unattended: bool = True) -> ChangeRequest:
        Key.objects.filter(purpose="root").delete()
        factories.make_key(world.cast.account, "root", is_unattended=is_unattended)
        request = request_signer(
            actor=world.cast.developer,
            signer=world.cast.alice,
            repositories=[world.cast.repository],
            ends_at=timezone.now() + timedelta(days=1),
            removes_itself=removes_itself,
        )
        assert carry_out(world, approve(world, request))[0].error == ""
        return request

    return let_in


def days_later(monkeypatch, days: int) -> None:
    moment = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def test_at_the_end_day_a_removal_is_asked_for_once(world, ending, monkeypatch):
    first = ending(removes_itself=False)
    jobs.end_signers()
    assert ChangeRequest.objects.count() == 1
    days_later(monkeypatch, 2)
    jobs.end_signers()
    jobs.end_signers()
    removal = ChangeRequest.objects.get(kind="remove_signer")
    assert (removal.state, removal.requested_by, removal.follows) == ("waiting", None, first)
    assert AuditEvent.objects.filter(action="end_signer").count() == 1
    assert carry_out(world, approve(world, removal))[0].error == ""
    assert world.cast.repository.signers == []


def test_at_the_end_day_a_signer_is_removed_at_once_where_that_was_approved(world, ending, monkeypatch):
    ending(removes_itself=True)
    days_later(monkeypatch, 2)
    jobs.end_signers()
    removal = ChangeRequest.objects.get(kind="remove_signer")
    assert (removal.state, removal.requested_by) == ("approved", None)
    assert carry_out(world, removal)[0].error == ""
    assert world.cast.repository.signers == []


def test_where_a_key_asks_for_its_passphrase_the_end_is_asked_for_all_the_same(world, ending, monkeypatch):
    ending(removes_itself=True, is_unattended=False)
    days_later(monkeypatch, 2)
    jobs.end_signers()
    assert ChangeRequest.objects.get(kind="remove_signer").state == "waiting"


def test_nothing_is_removed_at_once_before_the_day(world, ending):
    first = ending(removes_itself=True)
    removal = factories.make_request(
        world.cast.alice, [world.cast.repository], None, kind="remove_signer", state="approved", follows=first
    )
    operation = factories.make_operation(
        "remove_signer",
        "remove_signer",
        world.cast.repository,
        signer=world.cast.alice,
        parameters={"request": removal.pk},
    )
    assert world.run(operation).error_code == "not_as_approved"


def test_a_later_approval_lets_a_signer_stay(world, ending, monkeypatch):
    first = ending(removes_itself=True)
    factories.make_request(world.cast.alice, [world.cast.repository], first.requested_by, state="approved")
    days_later(monkeypatch, 2)
    jobs.end_signers()
    assert not ChangeRequest.objects.filter(kind="remove_signer").exists()
