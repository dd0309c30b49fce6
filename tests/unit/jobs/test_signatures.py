"""Work whose keys are with their holders: prepared, signed elsewhere, published; nothing half-done on any other way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from signing import ceremonies, jobs
from signing.errors import NotAllowed, StaleApproval, TooLate
from signing.models import AuditEvent, ChangeRequest, Happening, Key, Operation, PreparedFile, SignatureTask
from signing.services.operations import cancel_operation, publish_image, retry_operation, sign_digest
from signing.services.requests import (
    approve_request,
    request_revocation,
    request_rotation,
    request_signature,
    request_signer,
    request_signer_removal,
)
from signing.services.signatures import give_signature, refuse_signature
from signing.trust.errors import ServerUnreachable, WrongSignature
from signing.trust.keystore.base import PrivateKey
from tests import factories
from tests.factories import DIGEST, PASSPHRASE
from tests.unit.jobs.conftest import World
from tests.unit.jobs.holders import Holders

State = SignatureTask.State


@pytest.fixture
def holders(world: World) -> Holders:
    return Holders(world)


@pytest.fixture
def ready(holders: Holders) -> Holders:
    """Initialised by its holders, with alice as its signer."""
    assert holders.carry_out(holders.add_alice()).error == ""
    return holders


def test_a_repository_is_initialised_by_the_holders_of_all_its_keys(holders):
    operation = holders.ask_and_approve(holders.add_alice())
    assert operation.state == "needs_signature"
    asked = [(task.file.role, task.file.version, task.key.key_id) for task in holders.waiting(operation)]
    assert asked == [("root", 1, holders.root.key_id), ("targets", 2, holders.repository.key_id)]
    assert holders.world.notary.posted == []
    operation = holders.finish(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert dict(holders.state().signers())["alice"] == [holders.alice.key_id]


@pytest.mark.parametrize("order", [1, -1], ids=["root first", "root last"])
def test_holders_sign_in_either_order(holders, order):
    operation = holders.ask_and_approve(holders.add_alice())
    first, second = holders.waiting(operation)[::order]
    holders.sign(first)
    operation.refresh_from_db()
    assert operation.state == "needs_signature"
    assert not ceremonies.is_complete(operation)
    holders.sign(second)
    operation.refresh_from_db()
    assert (operation.state, operation.step) == ("queued", "add_signer")
    assert holders.world.run(operation).state == "done"


def test_a_tag_is_signed_at_home(ready):
    operation = ready.start_signing()
    assert operation.state == "needs_signature"
    assert ready.tags() == []
    operation = ready.finish(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert ready.tags() == ["1.0"]
    assert ready.cast.repository.tags.get().signers == ["alice"]


def test_the_public_tag_moves_only_after_the_holder_signed(ready):
    world = ready.world
    operation = publish_image(
        actor=ready.cast.signer,
        repository=ready.cast.repository,
        source="alpine:3.20",
        tag="2.0",
        signer=ready.cast.alice,
    )
    operation = world.run(operation)
    assert (operation.state, operation.step) == ("needs_signature", "sign")
    assert world.registry.tag_digest(world.path, "2.0") is None
    ready.cast.repository.refresh_from_db()
    assert ready.cast.repository.lease_id is None
    operation = ready.finish(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert world.registry.tag_digest(world.path, "2.0") == operation.result["digest"]
    assert not [tag for _, tag in world.registry.tags if tag.startswith("trustui-staging")]


def test_another_publish_goes_on_while_one_waits(ready):
    """Both keep their own staging tag, so that neither removes what the other still needs."""
    world = ready.world
    bob = factories.make_signer(ready.cast.account, "bob", user=ready.cast.developer)
    added = request_signer(actor=ready.cast.signer, signer=bob, repositories=[ready.cast.repository])
    assert ready.carry_out(added).error == ""
    first = world.run(
        publish_image(
            actor=ready.cast.signer,
            repository=ready.cast.repository,
            source="alpine:3.20",
            tag="a",
            signer=ready.cast.alice,
        )
    )
    second = world.run(
        publish_image(
            actor=ready.cast.developer,
            repository=ready.cast.repository,
            source="busybox:1",
            tag="b",
            signer=bob,
            passphrase=PASSPHRASE,
        )
    )
    assert (first.state, second.state) == ("needs_signature", "done")
    first = ready.finish(first)
    assert first.state == "needs_signature", "the other publish moved targets/releases, so it is prepared anew"
    first = ready.finish(first)
    assert (first.state, first.error) == ("done", "")
    assert ready.tags() == ["a", "b"]
    assert world.registry.tag_digest(world.path, "a") == first.result["digest"]


def ask_revocation(ready: Holders) -> ChangeRequest:
    assert ready.finish(ready.start_signing()).error == ""
    ready.cast.repository.refresh_from_db()
    return request_revocation(actor=ready.cast.developer, repository=ready.cast.repository, tag="1.0")


def ask_removal(ready: Holders) -> ChangeRequest:
    bob = factories.make_signer(ready.cast.account, "bob")
    added = request_signer(actor=ready.cast.developer, signer=bob, repositories=[ready.cast.repository])
    assert ready.carry_out(added).error == ""
    return request_signer_removal(actor=ready.cast.developer, signer=bob, repositories=[ready.cast.repository])


def ask_rotation(role: str) -> Callable[[Holders], ChangeRequest]:
    def ask(ready: Holders) -> ChangeRequest:
        new = ready.enrol("root" if role == "root" else "repository", ready.cast.lead)
        return request_rotation(actor=ready.cast.lead, repositories=[ready.cast.repository], role=role, keys=[new])

    return ask


KINDS = {
    "revoke": ask_revocation,
    "remove a signer": ask_removal,
    "rotate root": ask_rotation("root"),
    "rotate targets": ask_rotation("targets"),
}


@pytest.mark.parametrize("ask", KINDS.values(), ids=KINDS)
def test_every_kind_of_change_waits_for_its_holders_and_then_is_done(ready, ask):
    request = ask(ready)
    posts = len(ready.world.notary.posted)
    operation = ready.ask_and_approve(request)
    assert operation.state == "needs_signature"
    assert len(ready.world.notary.posted) == posts
    shown = sorted(line for file in operation.prepared_files.filter(is_current=True) for line in file.summary)
    assert shown == sorted(request.items.get().diff), "the holders see the lines that were approved"
    operation = ready.finish(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert len(ready.world.notary.posted) == posts + 1


def test_a_new_root_is_signed_by_the_old_holder_and_the_new_one(ready):
    operation = ready.ask_and_approve(ask_rotation("root")(ready))
    asked = {task.key.key_id for task in ready.waiting(operation)}
    new = Key.objects.filter(purpose="root").exclude(pk=ready.root.pk).get()
    assert asked == {ready.root.key_id, new.key_id}
    assert ready.finish(operation).error == ""
    keys = ready.state().root.role("root").keys.values()
    assert {key.canonical_id for key in keys} == {new.key_id}


def test_a_key_here_signs_at_once_and_its_passphrase_is_not_kept(holders):
    """The repository key is sealed here and asks for its passphrase, the root key is with its holder."""
    holders.repository.delete()
    request = holders.add_alice()
    request = approve_request(
        actor=holders.cast.other_lead, request=request, passphrases={"repository": "its own words"}
    )
    operation = holders.world.run(request.items.get().operation)
    assert [task.file.role for task in holders.waiting(operation)] == ["root"]
    assert operation.secrets.count() == 0
    operation = holders.finish(operation)
    assert (operation.state, operation.error) == ("done", "")


def test_somebody_else_asks_and_the_holder_signs(ready):
    request = request_signature(
        actor=ready.cast.developer,
        repository=ready.cast.repository,
        tag="3.0",
        digest=f"sha256:{DIGEST}",
        length=7,
        signer=ready.cast.alice,
    )
    assert ready.carry_out(request).error == ""
    assert ready.tags() == ["3.0"]


def test_a_signature_of_other_bytes_is_refused_by_name(ready):
    operation = ready.start_signing()
    task = ready.waiting(operation)[0]
    altered = bytes(task.file.payload).replace(b"1.0", b"6.6")
    for wrong in ({"payload": altered}, {"private": PrivateKey.generate()}, {"payload": b""}):
        with pytest.raises(WrongSignature) as refused:
            ready.sign(task, **wrong)
        assert refused.value.code == "wrong_signature"
    task.refresh_from_db()
    assert (task.state, bytes(task.signature)) == (State.WAITING, b"")


def test_bytes_altered_in_the_database_are_not_published(ready):
    operation = ready.start_signing()
    for task in ready.waiting(operation):
        ready.sign(task)
    file = operation.prepared_files.first()
    file.payload = bytes(file.payload).replace(b"1.0", b"6.6")
    file.save()
    operation = ready.world.run(operation)
    assert operation.state == "failed"
    assert ready.tags() == []


def test_only_the_owner_of_the_key_answers(ready):
    task = ready.waiting(ready.start_signing())[0]
    for person in (ready.cast.lead, ready.cast.admin, ready.cast.developer, ready.cast.outsider):
        with pytest.raises(NotAllowed):
            ready.sign(task, actor=person)
        with pytest.raises(NotAllowed):
            refuse_signature(actor=person, task=task)


def test_what_the_holder_looked_at_has_to_be_what_is_asked_for(ready):
    task = ready.waiting(ready.start_signing())[0]
    _, signature = ready.keys[task.key.key_id].sign(bytes(task.file.payload))
    with pytest.raises(StaleApproval):
        give_signature(actor=ready.cast.signer, task=task, signature=signature, sha256="0" * 64)
    give_signature(actor=ready.cast.signer, task=task, signature=signature, sha256=task.file.payload_hash.upper())


def test_a_signature_made_with_openssl_serves_as_well(ready):
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    operation = ready.start_signing()
    for task in ready.waiting(operation):
        der = ready.keys[task.key.key_id].loaded.sign(bytes(task.file.payload), ec.ECDSA(hashes.SHA256()))
        give_signature(actor=ready.cast.signer, task=task, signature=der)
    assert ready.world.run(operation).state == "done"


def test_a_state_that_moved_is_prepared_anew_and_people_are_told(ready):
    slow = ready.start_signing("slow")
    assert ready.finish(ready.start_signing("fast")).state == "done"
    given = ready.waiting(slow)
    for task in given:
        ready.sign(task)
    told = Happening.objects.filter(event="needs_signature").count()
    slow = ready.world.run(slow)
    assert slow.state == "needs_signature"
    assert Happening.objects.filter(event="needs_signature").count() == told + 1
    assert {file.is_current for file in PreparedFile.objects.filter(tasks__in=given)} == {False}
    with pytest.raises(TooLate):
        ready.sign(given[0])
    slow = ready.finish(slow)
    assert (slow.state, slow.error) == ("done", "")
    assert ready.tags() == ["fast", "slow"]


def test_what_waits_is_void_once_the_state_moved_under_it(ready):
    """A holder who has not signed yet signs the new bytes only."""
    slow, fast = ready.start_signing("slow"), ready.start_signing("fast")
    ready.finish(fast)
    slow = ready.finish(slow)
    assert slow.state == "needs_signature"
    states = list(
        SignatureTask.objects.filter(file__operation=slow, file__is_current=False).values_list("state", flat=True)
    )
    assert states
    assert State.WAITING not in states


def test_approved_lines_that_do_not_hold_any_more_are_not_signed_for(ready):
    bob = factories.make_signer(ready.cast.account, "bob")
    added = request_signer(actor=ready.cast.developer, signer=bob, repositories=[ready.cast.repository])
    assert ready.carry_out(added).error == ""
    removal = request_signer_removal(actor=ready.cast.developer, signer=bob, repositories=[ready.cast.repository])
    operation = ready.ask_and_approve(removal)
    twin = factories.make_signer(ready.cast.account, "bobs-twin", key=bob.key)
    other = request_signer(actor=ready.cast.developer, signer=twin, repositories=[ready.cast.repository])
    assert ready.carry_out(other).error == ""  # bob's key stays in releases now
    operation = ready.finish(operation)
    assert (operation.state, operation.error_code) == ("failed", "not_as_approved")
    assert "bob" in dict(ready.state().signers())


def test_a_worker_killed_after_publishing_finds_it_done(ready, monkeypatch):
    operation = ready.start_signing()
    for task in ready.waiting(operation):
        ready.sign(task)

    def killed() -> None:
        raise KeyboardInterrupt

    ready.world.notary.after_post = killed
    with pytest.raises(KeyboardInterrupt):
        jobs.sign(operation.pk)
    ready.world.notary.after_post = lambda: None
    posts = len(ready.world.notary.posted)
    Operation.objects.filter(pk=operation.pk).update(state="queued", claimed_at=None, alive_at=None, attempts=1)
    operation = ready.world.run(operation)
    assert (operation.state, operation.error) == ("done", "")
    assert len(ready.world.notary.posted) == posts
    assert ready.tags() == ["1.0"]


def test_a_worker_killed_while_it_prepares_leaves_nothing(ready, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("signing.jobs.signatures._tell", killed)
    operation = sign_digest(
        actor=ready.cast.signer,
        repository=ready.cast.repository,
        tag="1.0",
        digest=DIGEST,
        length=528,
        signer=ready.cast.alice,
    )
    with pytest.raises(KeyboardInterrupt):
        jobs.sign(operation.pk)
    assert not operation.prepared_files.exists()
    operation.refresh_from_db()
    assert operation.state == "running"  # the sweep gives it back to the queue


def test_a_job_that_is_handed_out_twice_asks_once(ready):
    operation = ready.start_signing()
    jobs.sign(operation.pk)
    assert SignatureTask.objects.filter(file__operation=operation).count() == len(ready.waiting(operation))


def test_a_server_that_is_away_costs_no_signature(ready):
    operation = ready.start_signing()
    for task in ready.waiting(operation):
        ready.sign(task)
    ready.world.notary.fault = ServerUnreachable("It does not answer.")
    operation = ready.world.run(operation)
    assert (operation.state, operation.error_code) == ("failed", "server_unreachable")
    ready.world.notary.fault = None
    operation = ready.world.run(retry_operation(actor=ready.cast.signer, operation=operation))
    assert (operation.state, operation.error) == ("done", "")


def test_a_refusal_ends_the_work_with_one_event(ready):
    operation = ready.start_signing()
    task = ready.waiting(operation)[0]
    before = AuditEvent.objects.count()
    refuse_signature(actor=ready.cast.signer, task=task, comment="I did not ask for\nthis")
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "signature_refused")
    assert "I did not ask for this" in operation.error
    assert AuditEvent.objects.count() == before + 1
    assert ready.waiting(operation) == []
    assert ready.tags() == []


def test_a_lead_cancels_what_waits(ready):
    operation = ready.start_signing()
    before = AuditEvent.objects.count()
    cancel_operation(actor=ready.cast.lead, operation=operation)
    operation.refresh_from_db()
    assert operation.state == "cancelled"
    assert AuditEvent.objects.count() == before + 1
    assert ready.waiting(operation) == []


def test_what_nobody_signs_in_time_expires_with_one_event(ready):
    operation = ready.start_signing()
    SignatureTask.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(TooLate, match="ended on"):
        ready.sign(ready.waiting(operation)[0])
    before = AuditEvent.objects.count()
    jobs.sweep()
    jobs.sweep()
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "signature_expired")
    assert AuditEvent.objects.count() == before + 1
    assert ready.waiting(operation) == []


def test_the_deadline_is_the_policys(ready):
    from signing.models import Policy

    Policy.objects.create(account=ready.cast.account, request_days=3)
    task = ready.waiting(ready.start_signing())[0]
    assert timedelta(days=2, hours=23) < task.expires_at - timezone.now() <= timedelta(days=3)


def test_the_holder_is_told_and_nobody_else(ready):
    from signing.recipients import recipients

    ready.start_signing()
    happening = Happening.objects.filter(event="needs_signature").latest("pk")
    assert recipients(happening) == [ready.cast.signer]
    assert happening.detail["key"] == ready.alice.key_id


def test_a_frozen_key_signs_nothing(ready):
    from signing.errors import Frozen
    from signing.models import Freeze

    task = ready.waiting(ready.start_signing())[0]
    Freeze.objects.create(key=ready.alice, reason="lost", by=ready.cast.admin)
    with pytest.raises(Frozen):
        ready.sign(task)
