from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict, NotAllowed, TooLate
from signing.models import ChangeRequest, Decision, Operation, SealedSecret
from signing.selectors.requests import passphrases_needed, preview_of, waiting_for
from signing.services.requests import approve_request, reject_request, request_signer
from signing.trust.errors import InvalidInput, KeyNotHeld
from tests import factories, trust_data
from tests.factories import PASSPHRASE


@pytest.fixture
def fresh(cast):
    """A repository nobody has initialised, and a root key that asks for its passphrase."""
    factories.make_key(cast.account, "root")
    return factories.make_repository(cast.account, "fresh")


@pytest.fixture
def waiting(cast, fresh):
    return request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh], reason="release duty")


def approve(cast, request, person="lead", **passphrases):
    return approve_request(actor=getattr(cast, person), request=request, passphrases=passphrases)


BOTH = {"root": PASSPHRASE, "repository": "its own words"}


def test_asking_waits_for_somebody_else(cast, fresh, one_event):
    with one_event("request_signer"):
        request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh, fresh])
    assert request.state == ChangeRequest.State.WAITING
    assert [item.repository for item in request.items.all()] == [fresh]
    assert request.expires_at - timezone.now() > timedelta(days=13)
    assert not Operation.objects.exists()


@pytest.mark.parametrize("person", ["auditor", "outsider"])
def test_who_only_reads_may_not_ask(cast, fresh, person):
    with pytest.raises(NotAllowed):
        request_signer(actor=getattr(cast, person), signer=cast.alice, repositories=[fresh])


def test_what_is_true_or_asked_for_already_is_a_conflict(cast, fresh, waiting):
    with pytest.raises(Conflict, match="may sign"):
        request_signer(actor=cast.developer, signer=cast.alice, repositories=[cast.repository])
    with pytest.raises(Conflict, match="asked for"):
        request_signer(actor=cast.signer, signer=cast.alice, repositories=[fresh])


def test_a_repository_of_another_account_is_refused(cast):
    foreign = factories.make_repository(cast.foreign)
    with pytest.raises(InvalidInput):
        request_signer(actor=cast.developer, signer=cast.alice, repositories=[foreign])
    with pytest.raises(InvalidInput):
        request_signer(actor=cast.developer, signer=cast.alice, repositories=[])


def test_one_approval_queues_the_delegation_with_its_passphrases(cast, fresh, waiting, one_event):
    assert passphrases_needed(waiting) == ["root", "repository"]
    with one_event("approve_request"):
        request = approve(cast, waiting, **BOTH)
    assert request.state == ChangeRequest.State.APPROVED
    operation = request.items.get().operation
    assert (operation.kind, operation.repository, operation.signer) == ("add_signer", fresh, cast.alice)
    assert take_secrets(operation) == BOTH


def test_every_repository_gets_its_own_operation_and_only_the_passphrases_it_needs(cast, fresh):
    ours = factories.make_repository(cast.account, "ours")
    trust_data.publish(ours, factories.make_signer(cast.account, "bob"))
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh, ours])
    approve(cast, request, **BOTH)
    given = {item.repository: sorted(take_secrets(item.operation)) for item in request.items.all()}
    assert given == {fresh: ["repository", "root"], ours: ["repository"]}


def test_unattended_keys_ask_for_nothing(cast):
    factories.make_key(cast.account, "root", is_unattended=True)
    fresh = factories.make_repository(cast.account, "fresh")
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh])
    assert passphrases_needed(request) == []
    approve(cast, request)
    assert not SealedSecret.objects.exists()


@pytest.mark.parametrize(
    "given", [{}, {"root": PASSPHRASE}, {"repository": PASSPHRASE}, {"root": "", "repository": "x"}]
)
def test_a_missing_passphrase_stops_the_approval_before_it_counts(cast, waiting, given):
    with pytest.raises(InvalidInput, match="passphrase"):
        approve(cast, waiting, **given)
    assert not Decision.objects.exists()
    waiting.refresh_from_db()
    assert waiting.state == ChangeRequest.State.WAITING


def test_without_a_root_key_the_way_out_is_told(cast):
    fresh = factories.make_repository(cast.account, "fresh")
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh])
    with pytest.raises(KeyNotHeld, match="no root key") as refused:
        approve(cast, request)
    assert "Generate a root key" in refused.value.next_step


def test_a_repository_somebody_else_initialised_needs_their_key(cast, fresh):
    trust_data.publish(fresh, factories.make_signer(cast.account, "bob"))
    cast.account.keys.filter(gun=fresh.gun).delete()
    factories.make_key(cast.account, "repository", gun=fresh.gun)  # ours, but not the one in the trust data
    request = request_signer(actor=cast.developer, signer=cast.alice, repositories=[fresh])
    assert preview_of(request)[0].problem
    with pytest.raises(KeyNotHeld, match="not on this server"):
        approve(cast, request)


def test_nobody_approves_their_own_request(cast, fresh):
    request = request_signer(actor=cast.lead, signer=cast.alice, repositories=[fresh])
    with pytest.raises(NotAllowed, match="yourself"):
        approve(cast, request, **BOTH)
    assert approve(cast, request, "other_lead", **BOTH).state == ChangeRequest.State.APPROVED


@pytest.mark.parametrize("person", ["signer", "auditor", "outsider", "developer"])
def test_only_a_lead_decides(cast, waiting, person):
    with pytest.raises(NotAllowed):
        approve(cast, waiting, person, **BOTH)
    with pytest.raises(NotAllowed):
        reject_request(actor=getattr(cast, person), request=waiting)


def test_a_quorum_of_two_takes_two_people(cast, waiting):
    ChangeRequest.objects.update(needed_approvals=2)
    assert approve(cast, waiting).state == ChangeRequest.State.WAITING  # the first brings no passphrase
    with pytest.raises(TooLate, match="already"):
        approve(cast, waiting, **BOTH)
    assert not Operation.objects.exists()
    assert approve(cast, waiting, "other_lead", **BOTH).state == ChangeRequest.State.APPROVED
    assert Operation.objects.count() == 1


def test_one_rejection_ends_it(cast, waiting, one_event):
    with one_event("reject_request"):
        request = reject_request(actor=cast.lead, request=waiting, comment="not now")
    assert request.state == ChangeRequest.State.REJECTED
    with pytest.raises(TooLate, match="rejected"):
        approve(cast, waiting, "other_lead", **BOTH)
    assert not Operation.objects.exists()


def test_an_expired_request_can_no_longer_be_decided(cast, waiting):
    ChangeRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    for decide in (lambda: approve(cast, waiting, **BOTH), lambda: reject_request(actor=cast.lead, request=waiting)):
        with pytest.raises(TooLate, match="expired"):
            decide()


def test_the_inbox_shows_what_a_person_can_decide(cast, fresh, waiting):
    def inbox(person):
        return list(waiting_for(getattr(cast, person)))

    assert inbox("lead") == inbox("other_lead") == inbox("admin") == [waiting]
    assert not any(inbox(person) for person in ("signer", "developer", "auditor", "outsider"))
    ChangeRequest.objects.update(needed_approvals=2)
    approve(cast, waiting)
    assert inbox("lead") == []
    assert inbox("other_lead") == [waiting]
    reject_request(actor=cast.other_lead, request=waiting)
    assert inbox("other_lead") == inbox("admin") == []
