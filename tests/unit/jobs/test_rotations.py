"""A key is replaced everywhere: planned, approved, carried out once whatever dies, and proved by a fresh client."""

from __future__ import annotations

import pytest
from django.test import Client

from signing import jobs, rotations
from signing.errors import Conflict, Frozen, NotAllowed, TooLate
from signing.freezing import is_frozen
from signing.models import AuditEvent, Key, Operation, Rotation, Signer
from signing.selectors.rotations import radius_of
from signing.services.freezing import freeze, lift_freeze
from signing.services.operations import sign_digest
from signing.services.requests import approve_request, reject_request
from signing.services.rotations import (
    drop_rotation,
    pause_rotation,
    plan_rotation,
    request_replacement,
    resume_rotation,
    retry_rotation,
)
from signing.trust.errors import CannotSign, InvalidInput, ServerUnreachable
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.replacing import uses_of
from tests import factories
from tests.factories import DIGEST, PASSPHRASE
from tests.unit.jobs.conftest import World

ALL = {"root": PASSPHRASE, "repository": "its own words", "new_root": "the next root", "signer": PASSPHRASE}
TAGS = tuple(f"1.{number}" for number in range(4))


@pytest.fixture
def signed(approved: World) -> World:
    """Alice signs four tags in one repository and one in another."""
    other = factories.make_repository(approved.cast.account, "other")
    approved.approve(repository=other)
    for repository, tags in ((approved.cast.repository, TAGS), (other, ("9",))):
        for tag in tags:
            operation = sign_digest(
                actor=approved.cast.signer,
                repository=repository,
                tag=tag,
                digest=DIGEST,
                length=528,
                signer=approved.cast.alice,
                passphrase=PASSPHRASE,
            )
            assert approved.run(operation).error == ""
    approved.cast.repository.refresh_from_db()
    return approved


def fresh(world: World, gun: str = ""):
    return refresh(Gun(gun or world.cast.repository.gun), world.notary, MemoryCache())


def versions(world: World, gun: str = "") -> dict[str, int]:
    state = fresh(world, gun)
    return {"root": state.root.version, **{name: file.version for name, file in state.files().items()}}


def planned(world: World, key: Key, reason: str = "lost", **given: object) -> Rotation:
    rotation = plan_rotation(actor=world.cast.other_lead, key=key, reason=reason, **{"unattended": True, **given})
    for operation in Operation.objects.filter(kind="generate_key", state="queued"):
        assert world.run(operation).error == ""
    rotation.refresh_from_db()
    return rotation


def asked(world: World, key: Key, reason: str = "lost", **given: object) -> Rotation:
    rotation = planned(world, key, reason, **given)
    request_replacement(actor=world.cast.other_lead, rotation=rotation)
    rotation.refresh_from_db()
    return rotation


def approve(world: World, rotation: Rotation) -> list[Operation]:
    assert rotation.request
    approve_request(actor=world.cast.lead, request=rotation.request, passphrases=ALL)
    return [item.operation for item in rotation.request.items.order_by("repository__gun") if item.operation]


def test_a_lost_signers_key_is_replaced_in_every_repository(signed):
    alice = signed.cast.alice
    old = alice.key
    before = {
        gun: versions(signed, gun) for gun in (signed.cast.repository.gun, signed.cast.repository.gun[:-3] + "other")
    }
    rotation = asked(signed, old)
    assert [len(step.tags) for step in rotation.steps.all()] == [4, 1]
    for operation in approve(signed, rotation):
        assert signed.run(operation).error == ""
    rotation = rotations.settle(rotation.pk)
    assert rotation.state == "done"
    alice = Signer.objects.get(pk=alice.pk)
    assert alice.key == rotation.replacement != old
    for gun, was in before.items():
        now = versions(signed, gun)
        assert {name for name in now if now[name] != was[name]} == {
            "targets",
            "targets/alice",
            "targets/releases",
            "snapshot",
            "timestamp",
        }
        assert all(now[name] == was[name] + 1 for name in ("targets/alice", "targets/releases"))
        assert uses_of(fresh(signed, gun), old.key_id) == []
        assert rotation.proof[gun]["old_roles"] == []
    assert [row[0] for row in rotation.proof[signed.cast.repository.gun]["tags"]] == list(TAGS)
    assert AuditEvent.objects.filter(action="replace_key").count() == 1
    signed.cast.repository.refresh_from_db()
    operation = sign_digest(
        actor=signed.cast.signer, repository=signed.cast.repository, tag="2", digest=DIGEST, length=528, signer=alice
    )
    assert signed.run(operation).error == "", "and the new key signs"


@pytest.mark.parametrize("moment", ["before anything", "after the publish"])
def test_a_worker_that_dies_twice_signs_each_tag_once(signed, monkeypatch, moment):
    rotation = asked(signed, signed.cast.alice.key)
    operation = approve(signed, rotation)[0]
    before = versions(signed)
    name = "_prove" if moment == "after the publish" else "_keys"
    real = getattr(jobs.rotations, name)
    deaths = []

    def dies(*arguments):
        if len(deaths) < 2:
            deaths.append(1)
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(jobs.rotations, name, dies)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            jobs.replace_key(operation.pk)
        Operation.objects.filter(pk=operation.pk).update(state="queued", claimed_at=None, attempts=0)
    assert signed.run(operation).error == ""
    now = versions(signed)
    assert all(now[role] == before[role] + 1 for role in ("targets", "targets/alice", "targets/releases"))


@pytest.mark.parametrize(
    ("purpose", "reason"),
    [("repository", "planned"), ("repository", "lost"), ("root", "planned"), ("root", "compromised")],
)
def test_administrative_keys_are_replaced_too(signed, purpose, reason):
    key = Key.objects.filter(purpose=purpose).order_by("gun").first()
    rotation = asked(signed, key, reason, unattended=False, passphrase=ALL["new_root"])
    given = ALL | ({"repository": ALL["new_root"]} if purpose == "repository" else {})
    approve_request(actor=signed.cast.lead, request=rotation.request, passphrases=given)
    for item in rotation.request.items.all():
        assert signed.run(item.operation).error == ""
        assert uses_of(fresh(signed, item.repository.gun), key.key_id) == []
    assert rotations.settle(rotation.pk).state == "done"
    assert is_frozen(key=key) == (reason == "compromised")


def test_a_lost_root_has_no_successor_and_the_plan_says_so(signed):
    root = Key.objects.get(purpose="root")
    rotation = planned(signed, root, "lost")
    with pytest.raises(CannotSign, match="root"):
        request_replacement(actor=signed.cast.other_lead, rotation=rotation)


def test_a_compromised_key_is_frozen_first_and_stays_so(signed):
    key = signed.cast.alice.key
    rotation = asked(signed, key, "compromised")
    assert is_frozen(key=key)
    for operation in approve(signed, rotation):
        assert signed.run(operation).error == ""
    assert rotations.settle(rotation.pk).state == "done"
    assert is_frozen(key=key)


def test_nothing_goes_on_in_a_frozen_account(signed):
    rotation = asked(signed, signed.cast.alice.key)
    made = freeze(actor=signed.cast.admin, reason="stop", account=signed.cast.account)
    with pytest.raises(Frozen):
        approve(signed, rotation)
    lift_freeze(actor=signed.cast.admin, freeze=made)
    assert approve(signed, rotation)


def test_paused_steps_wait_and_go_on(signed):
    rotation = asked(signed, signed.cast.alice.key)
    first, second = approve(signed, rotation)
    assert signed.run(first).error == ""
    rotation = pause_rotation(actor=signed.cast.lead, rotation=rotation)
    assert rotation.state == "paused"
    assert signed.run(second).state == "paused"
    rotation = resume_rotation(actor=signed.cast.lead, rotation=rotation)
    assert rotation.state == "running"
    assert signed.run(second).state == "done"
    assert rotations.settle(rotation.pk).state == "done"


def away() -> None:
    raise ServerUnreachable("The server is away.")


def test_only_what_failed_is_done_again(signed):
    rotation = asked(signed, signed.cast.alice.key)
    first, second = approve(signed, rotation)
    assert signed.run(first).error == ""
    before = versions(signed)
    signed.notary.before_post = away
    assert signed.run(second).state == "failed"
    signed.notary.before_post = lambda: None
    assert rotations.settle(rotation.pk).state == "failed"
    rotation = retry_rotation(actor=signed.cast.lead, rotation=rotation, passphrases=ALL)
    assert signed.run(second).state == "done"
    assert versions(signed) == before
    assert rotations.settle(rotation.pk).state == "done"


def test_who_may_and_when(signed):
    key = signed.cast.alice.key
    for actor in (signed.cast.developer, signed.cast.auditor, signed.cast.outsider):
        with pytest.raises(NotAllowed):
            plan_rotation(actor=actor, key=key, reason="lost", unattended=True)
    with pytest.raises(InvalidInput):
        plan_rotation(actor=signed.cast.lead, key=key, reason="lost", passphrase="short")
    with pytest.raises(InvalidInput):
        plan_rotation(actor=signed.cast.lead, key=key, reason="lost", replacement=Key.objects.get(purpose="root"))
    unused = factories.make_key(signed.cast.account, name="unused")
    with pytest.raises(Conflict, match="names this key"):
        plan_rotation(actor=signed.cast.lead, key=unused, reason="lost", unattended=True)
    rotation = plan_rotation(actor=signed.cast.lead, key=key, reason="lost", replacement=unused)
    with pytest.raises(Conflict, match="being replaced"):
        plan_rotation(actor=signed.cast.lead, key=key, reason="lost", replacement=unused)
    request = request_replacement(actor=signed.cast.lead, rotation=rotation)
    with pytest.raises(NotAllowed):
        approve_request(actor=signed.cast.lead, request=request, passphrases=ALL)
    reject_request(actor=signed.cast.other_lead, request=request)
    assert rotations.settle(rotation.pk).state == "dropped"
    with pytest.raises(TooLate):
        drop_rotation(actor=signed.cast.lead, rotation=rotation)


def test_the_radius_names_what_would_break(signed):
    radius = radius_of(signed.cast.alice.key)
    assert (len(radius.places), radius.tag_count, radius.needed_count) == (2, 5, 4)
    assert radius_of(factories.make_key(signed.cast.account, name="unused")).places == ()


def test_the_pages_lead_from_the_key_to_the_proof(signed):
    lead, other = Client(), Client()
    lead.force_login(signed.cast.lead)
    other.force_login(signed.cast.other_lead)
    key = signed.cast.alice.key
    assert f"/keys/{key.key_id}/rotate/" in lead.get(f"/keys/{key.key_id}/").content.decode()
    page = lead.get(f"/keys/{key.key_id}/rotate/").content.decode()
    assert "targets/alice" in page
    assert "5 tags" in page
    assert lead.post(f"/keys/{key.key_id}/rotate/", {"reason": "lost", "by": "typed"}).status_code == 400
    answer = lead.post(f"/keys/{key.key_id}/rotate/", {"reason": "lost", "by": "unattended"})
    rotation = Rotation.objects.get()
    assert answer.headers["Location"] == rotation.get_absolute_url()
    signed.run(Operation.objects.get(kind="generate_key"))
    draft = lead.get(rotation.get_absolute_url()).content.decode()
    assert "Ask for approval" in draft
    assert "trustctl key rotate" in draft
    lead.post(f"/rotations/{rotation.pk}/ask/", {"comment": "the laptop is gone"})
    rotation.refresh_from_db()
    asked_page = other.get(rotation.request.get_absolute_url())
    assert "Key that comes" in asked_page.content.decode()
    approval = {"content_hash": rotation.request.content_hash, "passphrase_repository": ALL["repository"]}
    assert other.post(f"/requests/{rotation.request.pk}/approve/", approval).status_code == 302
    for item in rotation.request.items.all():
        assert signed.run(item.operation).error == ""
    done = lead.get(rotation.get_absolute_url()).content.decode()
    assert "The old key verifies nothing" in done
    assert "1.3" in done
    assert rotation.get_absolute_url() in lead.get("/rotations/").content.decode()
    stranger = Client()
    stranger.force_login(signed.cast.outsider)
    assert stranger.get(rotation.get_absolute_url()).status_code == 404
