"""Who may do what, as one table: a role on the left, what it may do on the right."""

from __future__ import annotations

import pytest

from signing.errors import NotAllowed
from signing.permissions import may, require
from tests import factories

pytestmark = pytest.mark.django_db

PEOPLE = ("admin", "lead", "signer", "developer", "auditor", "outsider")
IN_ACCOUNT = {
    "create_account": {"admin"},
    "manage_people": {"admin"},
    "manage_trust_servers": {"admin"},
    "view": {"admin", "lead", "signer", "developer", "auditor"},
    "manage_account": {"admin", "lead"},
    "create_repository": {"admin", "lead"},
    "manage_root_keys": {"admin", "lead"},
    "create_key": {"admin", "lead", "signer"},
    "create_signer": {"admin", "lead", "signer"},
    "create_signer_for_others": {"admin", "lead"},
    "check_repository": {"admin", "lead", "signer", "developer"},
    "publish": {"admin", "lead", "signer", "developer"},
    "pull": {"admin", "lead", "signer", "developer"},
    "request_signer": {"admin", "lead", "signer", "developer"},
    "read_audit": {"admin", "lead", "auditor"},
    "fly": set(),
}


@pytest.fixture
def cast():
    return factories.make_cast()


@pytest.mark.parametrize("action", IN_ACCOUNT)
def test_each_role_may_do_its_part_in_an_account_and_no_more(cast, action):
    allowed = {person for person in PEOPLE if may(getattr(cast, person), action, cast.account)}
    assert allowed == IN_ACCOUNT[action]


@pytest.mark.parametrize("thing", ["repository", "alice"])
def test_a_thing_is_judged_by_its_account(cast, thing):
    assert may(cast.developer, "publish", getattr(cast, thing))
    assert not may(cast.outsider, "publish", getattr(cast, thing))


def test_a_signer_signs_as_themselves_only(cast):
    bob = factories.make_signer(cast.account, "bob", user=cast.developer)
    machine = factories.make_signer(cast.account, "ci")
    assert [s.name for s in (cast.alice, bob, machine) if may(cast.signer, "sign_with", s)] == ["alice", "ci"]
    assert [s.name for s in (cast.alice, bob, machine) if may(cast.developer, "sign_with", s)] == ["bob"]
    assert [s.name for s in (cast.alice, bob, machine) if may(cast.lead, "sign_with", s)] == ["ci"]
    assert not any(may(cast.auditor, "sign_with", s) for s in (cast.alice, bob, machine))


def test_who_left_the_account_no_longer_signs_with_their_signer(cast):
    cast.account.memberships.filter(user=cast.signer).delete()
    assert not may(cast.signer, "sign_with", cast.alice)
    assert not may(cast.signer, "use_key", cast.alice.key)


@pytest.mark.parametrize("person", ["lead", "admin"])
def test_nobody_decides_about_their_own_request(cast, person):
    asker = getattr(cast, person)
    request = factories.make_request(cast.alice, [cast.repository], asker)
    assert not may(asker, "decide_request", request)
    assert may(cast.other_lead, "decide_request", request)
    with pytest.raises(NotAllowed, match="yourself"):
        require(asker, "decide_request", request)


@pytest.mark.parametrize("person", ["signer", "developer", "auditor", "outsider"])
def test_only_leads_decide(cast, person):
    request = factories.make_request(cast.alice, [cast.repository], cast.lead)
    assert not may(getattr(cast, person), "decide_request", request)


def test_an_operation_is_changed_by_who_started_it_or_by_a_lead(cast):
    operation = factories.make_operation("refresh", "refresh", cast.repository, requested_by=cast.developer)
    allowed = {person for person in PEOPLE if may(getattr(cast, person), "change_operation", operation)}
    assert allowed == {"admin", "lead", "developer"}


def test_a_disabled_person_may_nothing(cast):
    cast.admin.is_active = False
    assert not may(cast.admin, "view", cast.account)


def test_a_refusal_is_a_sentence_with_a_next_step(cast):
    with pytest.raises(NotAllowed) as refused:
        require(cast.auditor, "publish", cast.repository)
    assert refused.value.message.endswith(".")
    assert refused.value.next_step
