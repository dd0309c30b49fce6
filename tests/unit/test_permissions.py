"""Who may do what, as one table: a role on the left, what it may do on the right."""

from __future__ import annotations

import pytest

from signing.errors import NotAllowed
from signing.permissions import _REFUSALS, _RULES, may, require, scope_of
from tests import factories

pytestmark = pytest.mark.django_db

PEOPLE = (
    "admin",
    "account_admin",
    "lead",
    "signer",
    "developer",
    "auditor",
    "everything",  # auditor of the installation
    "outsider",
)
WORKERS = {"admin", "account_admin", "lead", "signer", "developer"}
LEADS = {"admin", "account_admin", "lead"}
READERS = {*LEADS, "auditor", "everything"}
EVERYBODY_OF_IT = {*WORKERS, "auditor", "everything"}
IN_ACCOUNT = {
    "create_account": {"admin"},
    "manage_people": {"admin"},
    "manage_trust_servers": {"admin"},
    "manage_own": {*PEOPLE},
    "read_people": {"admin", "everything"},
    "read_trust_servers": {"admin", "everything"},
    "read_whole_audit": {"admin", "everything"},
    "view": EVERYBODY_OF_IT,
    "read_policy": EVERYBODY_OF_IT,
    "read_keys": EVERYBODY_OF_IT,
    "read_audit": READERS,
    "view_webhooks": READERS,
    "manage_webhooks": LEADS,
    "manage_account": LEADS,
    "manage_members": LEADS,
    "manage_leads": {"admin", "account_admin"},
    "create_machine": LEADS,
    "create_repository": LEADS,
    "manage_root_keys": LEADS,
    "create_key": {*LEADS, "signer"},
    "create_signer": {*LEADS, "signer"},
    "create_signer_for_others": LEADS,
    "use_key": LEADS,
    "check_repository": WORKERS,
    "publish": WORKERS,
    "pull": WORKERS,
    "sign_with": set(),
    "request_signer": WORKERS,
    "request_signer_removal": WORKERS,
    "request_signature": WORKERS,
    "request_revocation": WORKERS,
    "request_rotation": LEADS,
    "request_policy": LEADS,
    "decide_request": LEADS,
    "retry_request": LEADS,
    "withdraw_request": LEADS,
    "change_operation": LEADS,
    "manage_tokens": set(),
    "freeze": LEADS,
    "lift_freeze": {"admin"},
    "accept_change": LEADS,
    "give_signature": set(),
    "replace_key": LEADS,
    "read_health": {"admin", "everything"},
    "fly": set(),
}


@pytest.fixture
def cast():
    cast = factories.make_cast()
    cast.account_admin = factories.make_member(cast.account, "abe", "admin")
    cast.everything = factories.make_user("eva", reads_everything=True)
    return cast


def test_every_action_is_in_the_table():
    assert IN_ACCOUNT.keys() - {"fly"} == _RULES.keys()


def test_every_refusal_belongs_to_an_action():
    assert _REFUSALS.keys() <= _RULES.keys()


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


def test_an_administrator_signs_in_nobodys_name(cast):
    machine = factories.make_signer(cast.account, "ci")
    assert not may(cast.admin, "sign_with", cast.alice)
    assert not may(cast.admin, "sign_with", machine)
    cast.account.memberships.create(user=cast.admin, role="signer")
    assert not may(cast.admin, "sign_with", cast.alice)
    assert may(cast.admin, "sign_with", machine)


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


@pytest.mark.parametrize("person", ["signer", "developer", "auditor", "everything", "outsider"])
def test_only_leads_decide(cast, person):
    request = factories.make_request(cast.alice, [cast.repository], cast.lead)
    assert not may(getattr(cast, person), "decide_request", request)


def test_an_operation_is_changed_by_who_started_it_or_by_a_lead(cast):
    operation = factories.make_operation("refresh", "refresh", cast.repository, requested_by=cast.developer)
    allowed = {person for person in PEOPLE if may(getattr(cast, person), "change_operation", operation)}
    assert allowed == {*LEADS, "developer"}


def test_a_disabled_person_may_nothing(cast):
    cast.admin.is_active = False
    assert not may(cast.admin, "view", cast.account)


def test_a_refusal_is_a_sentence_with_a_next_step(cast):
    with pytest.raises(NotAllowed) as refused:
        require(cast.auditor, "publish", cast.repository)
    assert refused.value.message.endswith(".")
    assert refused.value.next_step


def test_what_reads_needs_the_reading_scope_only():
    reading = {action for action in _RULES if scope_of(action) == "read"}
    assert all(action.startswith(("read_", "view")) for action in reading)
    assert not any(action.startswith(("read_", "view")) for action in _RULES.keys() - reading)


def test_an_unknown_action_needs_the_widest_scope():
    assert scope_of("fly") == "manage"
