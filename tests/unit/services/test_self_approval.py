"""Nobody approves what they asked for themselves, however they go about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from signing.errors import NotAllowed, StaleApproval, StepUpRefused, TooLate
from signing.models import ApiToken, ChangeRequest, Decision, Membership, Operation, Policy
from signing.selectors.requests import can_decide, is_asking_side, waiting_for
from signing.services.requests import (
    approve_request,
    change_request,
    note_changes,
    reject_request,
    request_signer,
    withdraw_request,
)
from signing.step_up import StepUp
from tests import factories
from tests.factories import PASSPHRASE

BOTH = {"root": PASSPHRASE, "repository": "its own words"}


@pytest.fixture
def fresh(cast):
    factories.make_key(cast.account, "root")
    return factories.make_repository(cast.account, "fresh")


def ask(cast, fresh, person, signer=None):
    return request_signer(actor=person, signer=signer or cast.alice, repositories=[fresh])


def refuses(person, request, error=NotAllowed):
    with pytest.raises(error):
        approve_request(actor=person, request=request, passphrases=BOTH)
    assert not Operation.objects.exists()
    assert not can_decide(person, request)
    assert request not in waiting_for(person)


def test_the_same_person(cast, fresh):
    refuses(cast.lead, ask(cast, fresh, cast.lead))


def test_an_administrator_who_asked(cast, fresh):
    refuses(cast.admin, ask(cast, fresh, cast.admin))


@pytest.mark.parametrize("how", ["the address of both", "a verified one", "in other letters"])
def test_a_second_account_of_the_same_person(cast, fresh, how):
    first, second = cast.lead, cast.other_lead
    if how == "a verified one":
        first.email = "lea@example.org"
        first.save()
        EmailAddress.objects.create(user=second, email="lea@example.org", verified=True)
    else:
        first.email = "lea@example.org"
        second.email = "Lea@Example.ORG" if how == "in other letters" else "lea@example.org"
        first.save()
        second.save()
    request = ask(cast, fresh, first)
    assert is_asking_side(second, request)
    refuses(second, request)


def test_an_address_nobody_verified_makes_nobody_the_same(cast, fresh):
    cast.lead.email = "lea@example.org"
    cast.lead.save()
    EmailAddress.objects.create(user=cast.other_lead, email="lea@example.org", verified=False)
    request = ask(cast, fresh, cast.lead)
    assert approve_request(actor=cast.other_lead, request=request, passphrases=BOTH).state == "approved"


def test_one_person_with_two_accounts_is_one_approver(cast, fresh):
    Policy.objects.create(account=cast.account, needed_approvals=2)
    for lead in (cast.lead, cast.other_lead):
        lead.email = "lea@example.org"
        lead.save()
    request = ask(cast, fresh, cast.developer)
    approve_request(actor=cast.lead, request=request)
    refuses(cast.other_lead, request, TooLate)
    third = factories.make_member(cast.account, "tess", "lead")
    assert approve_request(actor=third, request=request, passphrases=BOTH).state == "approved"


def test_an_account_reached_over_a_third_one(cast, fresh):
    bridge = factories.make_user("bridge", email="lou@example.org")
    EmailAddress.objects.create(user=bridge, email="lea@example.org", verified=True)
    for lead, address in ((cast.lead, "lea@example.org"), (cast.other_lead, "lou@example.org")):
        lead.email = address
        lead.save()
    refuses(cast.other_lead, ask(cast, fresh, cast.lead))


def test_the_maker_of_the_token_it_was_asked_with(cast, fresh):
    machine = factories.make_user("ci", is_machine=True)
    Membership.objects.create(account=cast.account, user=machine, role="developer")
    token = ApiToken.objects.create(
        user=machine,
        name="ci",
        scopes=["request"],
        token_hash="a" * 64,
        created_by=cast.lead,
        expires_at=timezone.now() + timedelta(days=1),
    )
    machine.acting_token = token
    request = ask(cast, fresh, machine)
    assert request.asked_through == token
    refuses(cast.lead, request)
    assert approve_request(actor=cast.other_lead, request=request, passphrases=BOTH).state == "approved"


def test_the_one_whose_key_is_to_be_let_in(cast, fresh):
    own = factories.make_signer(cast.account, "lea", user=cast.lead)
    refuses(cast.lead, ask(cast, fresh, cast.developer, own))


def test_an_edit_after_the_approval_voids_it(cast, fresh):
    Policy.objects.create(account=cast.account, needed_approvals=2)
    request = ask(cast, fresh, cast.developer)
    request = approve_request(actor=cast.lead, request=request)
    more = factories.make_repository(cast.account, "more")
    change_request(actor=cast.developer, request=request, repositories=[fresh, more])
    request = approve_request(actor=cast.other_lead, request=request)
    assert request.state == ChangeRequest.State.WAITING
    assert can_decide(cast.lead, request)  # they may say again what they think, of what it is now
    assert approve_request(actor=cast.lead, request=request, passphrases=BOTH).state == "approved"


def test_only_the_one_who_asked_edits(cast, fresh):
    request = ask(cast, fresh, cast.developer)
    for person in (cast.lead, cast.admin, cast.signer):
        with pytest.raises(NotAllowed):
            change_request(actor=person, request=request, repositories=[fresh])


def test_withdrawn_and_asked_anew_by_the_approver(cast, fresh):
    Policy.objects.create(account=cast.account, needed_approvals=2)
    request = ask(cast, fresh, cast.developer)
    approve_request(actor=cast.lead, request=request)
    withdraw_request(actor=cast.developer, request=request)
    with pytest.raises(TooLate, match="withdrawn"):
        approve_request(actor=cast.other_lead, request=request, passphrases=BOTH)
    anew = ask(cast, fresh, cast.lead)
    refuses(cast.lead, anew)
    approve_request(actor=cast.other_lead, request=anew)
    assert not Operation.objects.exists()  # the approval of the first one serves nothing


def test_a_replayed_approval_of_other_content(cast, fresh):
    request = ask(cast, fresh, cast.developer)
    seen = request.content_hash
    more = factories.make_repository(cast.account, "more")
    change_request(actor=cast.developer, request=request, repositories=[fresh, more])
    with pytest.raises(StaleApproval):
        approve_request(actor=cast.lead, request=request, content_hash=seen, passphrases=BOTH)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("forged", ["", "0" * 64])
def test_an_approval_of_nothing_in_particular(cast, fresh, forged):
    request = ask(cast, fresh, cast.developer)
    with pytest.raises(StaleApproval):
        approve_request(actor=cast.lead, request=request, content_hash=forged, passphrases=BOTH)


def test_a_new_certificate_around_the_key_voids_what_was_approved(cast, fresh):
    Policy.objects.create(account=cast.account, needed_approvals=2)
    request = ask(cast, fresh, cast.developer)
    approve_request(actor=cast.lead, request=request)
    other = factories.make_key(cast.account, name="other")
    cast.alice.key.public_pem = other.public_pem
    cast.alice.key.save()
    request = note_changes(request)
    assert request.decisions.get().content_hash != request.content_hash
    assert approve_request(actor=cast.other_lead, request=request, passphrases=BOTH).state == "waiting"


def test_a_rejection_ends_it_whatever_content_it_was_for(cast, fresh):
    request = ask(cast, fresh, cast.developer)
    reject_request(actor=cast.lead, request=request)
    with pytest.raises(TooLate):
        change_request(actor=cast.developer, request=request, repositories=[fresh])


def test_a_passkeys_word_for_something_else(cast, fresh):
    Policy.objects.create(account=cast.account, requires_step_up=True)
    request = ask(cast, fresh, cast.developer)
    content = request.content_hash
    for wrong in (
        None,
        StepUp(cast.other_lead.pk, request.pk, content, "key"),
        StepUp(cast.lead.pk, request.pk + 1, content, "key"),
        StepUp(cast.lead.pk, request.pk, "0" * 64, "key"),
    ):
        with pytest.raises(StepUpRefused):
            approve_request(actor=cast.lead, request=request, passphrases=BOTH, step_up=wrong)
    right = StepUp(cast.lead.pk, request.pk, content, "key")
    request = approve_request(actor=cast.lead, request=request, passphrases=BOTH, step_up=right)
    assert request.decisions.get().stepped_up
