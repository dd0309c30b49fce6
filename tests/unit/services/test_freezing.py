"""The emergency stop: who may pull it, what it stops, and who lets go on."""

from __future__ import annotations

import pytest
from django.utils.functional import SimpleLazyObject

from signing.errors import Conflict, Frozen, NotAllowed, StepUpRefused, TooLate
from signing.freezing import act_hash, is_frozen
from signing.models import AuditEvent, Freeze, Happening, Membership, Operation, Policy
from signing.services.freezing import freeze, lift_freeze
from signing.services.operations import retry_operation, sign_digest
from signing.services.requests import approve_request, request_signer, request_signer_removal
from signing.step_up import StepUp, place_of
from signing.trust.errors import InvalidInput
from tests import factories, trust_data
from tests.factories import DIGEST, PASSPHRASE, Cast

WHY = "The laptop was stolen."


def sign(cast: Cast, tag: str = "1.0") -> Operation:
    return sign_digest(
        actor=cast.signer,
        repository=cast.repository,
        tag=tag,
        digest=DIGEST,
        length=528,
        signer=cast.alice,
        passphrase=PASSPHRASE,
    )


STOPS = {
    "the key": lambda cast: {"key": cast.alice.key},
    "its account": lambda cast: {"account": cast.account},
    "its owner": lambda cast: {"person": cast.signer},
}


@pytest.mark.parametrize("thing", STOPS.values(), ids=STOPS)
def test_what_waits_ends_and_nothing_new_begins(cast, thing):
    waiting = [sign(cast, f"1.{number}") for number in range(5)]
    freeze(actor=cast.admin, reason=WHY, **thing(cast))
    for operation in waiting:
        operation.refresh_from_db()
        assert (operation.state, operation.error_code) == ("failed", "frozen")
        assert WHY in operation.error
        assert not operation.secrets.exists()
    with pytest.raises(Frozen, match=WHY):
        sign(cast, "2.0")
    with pytest.raises(Frozen):
        retry_operation(actor=cast.signer, operation=waiting[0], passphrase=PASSPHRASE)
    assert is_frozen(key=cast.alice.key)


@pytest.mark.parametrize("thing", STOPS.values(), ids=STOPS)
def test_once_it_is_lifted_it_goes_on(cast, thing):
    waiting = sign(cast)
    made = freeze(actor=cast.admin, reason=WHY, **thing(cast))
    other = factories.make_user("second", is_superuser=True)
    lift_freeze(actor=other, freeze=made, reason="found again")
    assert not is_frozen(key=cast.alice.key)
    waiting.refresh_from_db()
    assert retry_operation(actor=cast.signer, operation=waiting, passphrase=PASSPHRASE).state == "queued"
    with pytest.raises(TooLate):
        lift_freeze(actor=other, freeze=made)


def test_another_key_of_the_account_goes_on_signing(cast):
    bob = factories.make_signer(cast.account, "bob", user=cast.developer)
    freeze(actor=cast.lead, reason=WHY, key=bob.key)
    assert sign(cast).state == "queued"


def test_a_frozen_person_is_frozen_under_each_of_their_accounts(cast):
    for user in (cast.signer, cast.other_lead):
        user.email = "alice@example.com"
        user.save()
    freeze(actor=cast.admin, reason=WHY, person=cast.other_lead)
    assert is_frozen(person=cast.signer)
    with pytest.raises(Frozen):
        sign(cast)


def test_a_frozen_person_approves_nothing_and_what_they_asked_ends(cast):
    bob = factories.make_signer(cast.account, "bob")
    request = request_signer(actor=cast.developer, signer=bob, repositories=[cast.repository])
    work = factories.make_operation(
        "add_signer", "add_signer", cast.repository, requested_by=cast.lead, parameters={"request": request.pk}
    )
    freeze(actor=cast.admin, reason=WHY, person=cast.developer)
    work.refresh_from_db()
    assert work.error_code == "frozen"
    freeze(actor=cast.admin, reason=WHY, person=cast.other_lead)
    with pytest.raises(Frozen):
        approve_request(actor=cast.other_lead, request=request)


def test_a_frozen_signer_can_still_be_taken_out(cast):
    other = factories.make_repository(cast.account, "other")
    freeze(actor=cast.lead, reason=WHY, key=cast.alice.key)
    with pytest.raises(Frozen):
        request_signer(actor=cast.developer, signer=cast.alice, repositories=[other])
    bob = factories.make_signer(cast.account, "bob", user=cast.developer)
    trust_data.publish(cast.repository, cast.alice, bob)
    request = request_signer_removal(actor=cast.developer, signer=cast.alice, repositories=[cast.repository])
    assert request.state == "waiting"


def test_looking_goes_on_in_a_frozen_account(cast):
    look = factories.make_operation("refresh", "refresh", cast.repository)
    freeze(actor=cast.lead, reason=WHY, account=cast.account)
    look.refresh_from_db()
    assert look.state == "queued"


MAY = {
    "admin": ("key", "account", "person"),
    "lead": ("key", "account"),
    "signer": ("key", "person"),  # their own key, and themselves
    "developer": (),
    "auditor": (),
    "outsider": (),
}


@pytest.mark.parametrize(("who", "what"), [(who, what) for who in MAY for what in ("key", "account", "person")])
def test_who_may_freeze(cast, who, what):
    things = {"key": cast.alice.key, "account": cast.account, "person": cast.signer}
    if what in MAY[who]:
        assert freeze(actor=getattr(cast, who), reason=WHY, **{what: things[what]}).pk
        return
    with pytest.raises(NotAllowed):
        freeze(actor=getattr(cast, who), reason=WHY, **{what: things[what]})
    assert not Freeze.objects.exists()


def test_a_person_freezes_themselves(cast):
    """A page gives the person it belongs to as a lazy object."""
    me = SimpleLazyObject(lambda: cast.developer)
    assert freeze(actor=me, reason=WHY, person=me).person == cast.developer


@pytest.mark.parametrize("who", ["lead", "signer", "developer", "outsider"])
def test_only_an_administrator_lifts(cast, who):
    made = freeze(actor=cast.lead, reason=WHY, key=cast.alice.key)
    with pytest.raises(NotAllowed):
        lift_freeze(actor=getattr(cast, who), freeze=made)


def test_the_frozen_administrator_does_not_lift_it(cast):
    twin = factories.make_user("boss", is_superuser=True)
    cast.admin.email = twin.email = "root@example.com"
    cast.admin.save()
    twin.save()
    made = freeze(actor=twin, reason=WHY, person=cast.admin)
    for actor in (cast.admin, twin):
        with pytest.raises(NotAllowed, match="frozen"):
            lift_freeze(actor=actor, freeze=made)


def test_each_act_is_one_event_and_tells_people(cast):
    before = AuditEvent.objects.count()
    made = freeze(actor=cast.lead, reason=WHY, key=cast.alice.key)
    lift_freeze(actor=cast.admin, freeze=made, reason="found again")
    acts = AuditEvent.objects.order_by("number")[before:]
    assert [(event.action, event.reason) for event in acts] == [("freeze", WHY), ("lift_freeze", "found again")]
    frozen, lifted = Happening.objects.filter(event="frozen").order_by("pk")
    assert (frozen.detail["is_lifted"], lifted.detail["is_lifted"]) == (False, True)
    assert frozen.detail["owner"] == cast.signer.pk


def test_ended_work_is_not_announced_one_by_one(cast):
    for number in range(3):
        sign(cast, f"1.{number}")
    freeze(actor=cast.lead, reason=WHY, account=cast.account)
    assert not Happening.objects.filter(event="failed").exists()


def test_a_reason_is_needed_and_twice_is_refused(cast):
    for reason in ("", "   ", "x" * 501):
        with pytest.raises(InvalidInput):
            freeze(actor=cast.lead, reason=reason, key=cast.alice.key)
    freeze(actor=cast.lead, reason=WHY, key=cast.alice.key)
    with pytest.raises(Conflict):
        freeze(actor=cast.admin, reason=WHY, key=cast.alice.key)


def test_the_policy_may_want_a_passkeys_word_for_exactly_this(cast):
    Policy.objects.create(account=cast.account, requires_step_up=True)
    key = cast.alice.key
    right = StepUp(cast.lead.pk, place_of(key), act_hash("freeze", key), "key")
    for wrong in (
        None,
        StepUp(cast.admin.pk, place_of(key), act_hash("freeze", key), "key"),
        StepUp(cast.lead.pk, place_of(key), act_hash("lift", key), "key"),
        StepUp(cast.lead.pk, place_of(cast.account), act_hash("freeze", key), "key"),
    ):
        with pytest.raises(StepUpRefused):
            freeze(actor=cast.lead, reason=WHY, key=key, step_up=wrong)
    made = freeze(actor=cast.lead, reason=WHY, key=key, step_up=right)
    with pytest.raises(StepUpRefused):
        lift_freeze(actor=cast.admin, freeze=made)
    Membership.objects.get_or_create(account=cast.account, user=cast.signer, defaults={"role": "signer"})
    with pytest.raises(StepUpRefused):
        freeze(actor=cast.admin, reason=WHY, person=cast.signer)
