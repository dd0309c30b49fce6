"""Roles in single repositories, roles that ended, auditors of everything, machines and tokens: what each may see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing.models import ApiToken, Membership
from signing.permissions import may
from signing.selectors.accounts import people_of, visible_accounts
from signing.selectors.keys import visible_keys
from signing.selectors.operations import visible_operations
from signing.selectors.repositories import visible_repositories
from signing.selectors.requests import visible_requests, waiting_for
from signing.selectors.signers import usable_signers, visible_signers
from signing.selectors.trust_servers import visible_trust_servers
from tests import factories

pytestmark = pytest.mark.django_db

LISTS = (
    visible_accounts,
    visible_repositories,
    visible_keys,
    visible_signers,
    visible_requests,
    visible_operations,
    visible_trust_servers,
)


@pytest.fixture
def cast():
    """Two repositories in the account, each with a signer, a request and an operation; one more account beside."""
    cast = factories.make_cast()
    cast.other = factories.make_repository(cast.account, "other")
    cast.bob = factories.make_signer(cast.account, "bob", user=factories.make_user("bob"))
    factories.approve_in_trust_data(cast.other, cast.bob)
    for signer, repository in ((cast.alice, cast.repository), (cast.bob, cast.other)):
        factories.make_request(signer, [repository], cast.signer)
        factories.make_operation("refresh", "refresh", repository)
    factories.make_request(cast.bob, [cast.repository, cast.other], cast.signer)
    factories.make_key(cast.account, "root")
    foreign = factories.make_repository(cast.foreign, "app")
    factories.make_request(factories.make_signer(cast.foreign, "eve"), [foreign], cast.outsider)
    factories.make_operation("refresh", "refresh", foreign)
    return cast


def give(user, role, account, repository=None, **fields):
    Membership.objects.create(user=user, role=role, account=account, repository=repository, **fields)
    return user


def come_by_token(user, *repositories, scopes=ApiToken.Scope.values):
    token = ApiToken.objects.create(
        user=user,
        name="t",
        token_hash=str(ApiToken.objects.count()),
        scopes=list(scopes),
        created_by=user,
        expires_at=timezone.now() + timedelta(days=1),
    )
    token.repositories.set(repositories)
    user.acting_token = token
    return user


def counts(user):
    return [len(listed(user)) for listed in LISTS]


def test_a_role_in_one_repository_shows_that_one_and_what_belongs_to_it(cast):
    guest = give(factories.make_user("guest"), "lead", cast.account, cast.repository)
    assert list(visible_accounts(guest)) == [cast.account]
    assert list(visible_repositories(guest)) == [cast.repository]
    assert list(visible_signers(guest)) == [cast.alice]
    assert list(visible_keys(guest)) == [cast.alice.key]
    assert [request.signer for request in visible_requests(guest)] == [cast.alice]
    assert [request.signer for request in waiting_for(guest)] == [cast.alice]
    assert [operation.repository for operation in visible_operations(guest)] == [cast.repository]


def test_a_role_in_one_repository_counts_there_only(cast):
    guest = give(factories.make_user("guest"), "lead", cast.account, cast.repository)
    assert may(guest, "publish", cast.repository)
    assert may(guest, "manage_members", cast.repository)
    for thing in (cast.other, cast.account, None):
        assert not may(guest, "publish", thing)
        assert not may(guest, "manage_account", thing)
        assert not may(guest, "view", thing)
    one, both = visible_requests(guest)[0], cast.bob.requests.latest("pk")
    assert may(guest, "decide_request", one)
    assert not may(guest, "decide_request", both)
    give(guest, "lead", cast.account, cast.other)
    assert may(guest, "decide_request", both)


def test_a_role_in_a_repository_adds_to_the_one_in_the_account(cast):
    give(cast.developer, "lead", cast.account, cast.repository)
    assert may(cast.developer, "request_policy", cast.repository)
    assert not may(cast.developer, "request_policy", cast.other)
    give(cast.lead, "auditor", cast.account, cast.repository)
    assert may(cast.lead, "request_policy", cast.repository)


def test_a_signer_of_one_repository_signs_there_with_their_own_and_with_machines_signers(cast):
    guest = give(factories.make_user("guest"), "signer", cast.account, cast.repository)
    own = factories.make_signer(cast.account, "guest", user=guest)
    robot = factories.make_signer(cast.account, "robot")
    for repository in (cast.repository, cast.other):
        factories.approve_in_trust_data(repository, cast.alice, own, robot)
    assert usable_signers(guest, cast.repository) == [own, robot]
    assert robot not in usable_signers(guest, cast.other)
    assert may(guest, "create_key", cast.account)
    assert not may(guest, "create_signer_for_others", cast.account)


def test_a_role_that_ended_counts_no_more(cast):
    Membership.objects.filter(user=cast.lead).update(ends_at=timezone.now() + timedelta(hours=1))
    assert may(cast.lead, "manage_account", cast.account)
    Membership.objects.filter(user=cast.lead).update(ends_at=timezone.now())
    assert not may(cast.lead, "view", cast.account)
    assert counts(cast.lead) == [0] * len(LISTS)
    assert not waiting_for(cast.lead).exists()
    assert cast.lead not in people_of(cast.account, cast.signer)


def test_an_auditor_of_everything_sees_what_an_administrator_sees_and_changes_nothing(cast):
    everything = factories.make_user("eva", reads_everything=True)
    assert counts(everything) == counts(cast.admin)
    assert may(everything, "view", cast.foreign)
    assert may(everything, "read_whole_audit")
    for action in ("manage_account", "publish", "request_signer", "create_key", "create_signer"):
        assert not may(everything, action, cast.account)
    assert not waiting_for(everything).exists()


def test_an_auditor_of_everything_still_has_their_roles(cast):
    cast.developer.reads_everything = True
    assert may(cast.developer, "publish", cast.repository)
    cast.lead.reads_everything = True
    assert cast.alice.requests.get() in waiting_for(cast.lead)


@pytest.mark.parametrize("role", Membership.Role.values)
def test_a_machine_account_reads_and_asks_whatever_its_role(cast, role):
    machine = give(factories.make_user("ci", is_machine=True), role, cast.account)
    come_by_token(machine, cast.repository)
    assert list(visible_repositories(machine)) == [cast.repository]
    assert not visible_keys(machine).exists()
    assert not waiting_for(machine).exists()
    assert not may(machine, "read_keys", cast.account)
    assert may(machine, "view", cast.repository)
    assert may(machine, "request_signature", cast.repository) == (role != "auditor")
    assert not may(machine, "request_signature", cast.other)
    request = visible_requests(machine)[0]
    for action in ("publish", "pull", "decide_request", "manage_account", "manage_members", "create_key"):
        assert not may(machine, action, request)
        assert not may(machine, action, cast.repository)


def test_a_machine_that_is_made_administrator_is_none(cast):
    machine = factories.make_user("ci", is_machine=True, is_superuser=True)
    assert not may(machine, "decide_request", cast.alice.requests.get())
    assert not may(machine, "view", cast.account)


@pytest.mark.parametrize("person", ["admin", "lead"])
def test_a_token_that_names_repositories_reaches_these_alone(cast, person):
    user = come_by_token(getattr(cast, person), cast.repository)
    assert list(visible_accounts(user)) == [cast.account]
    assert list(visible_repositories(user)) == [cast.repository]
    assert list(visible_signers(user)) == [cast.alice]
    assert list(visible_keys(user)) == [cast.alice.key]
    assert [request.signer for request in visible_requests(user)] == [cast.alice]
    assert [operation.repository for operation in visible_operations(user)] == [cast.repository]
    assert may(user, "publish", cast.repository)
    assert may(user, "view", cast.account)
    assert not may(user, "view", cast.foreign)
    for thing in (cast.other, cast.account, cast.alice, None):
        assert not may(user, "request_signer", thing)
        assert not may(user, "manage_account", thing)
    assert not may(user, "create_account")
    assert not may(user, "read_whole_audit")


def test_a_token_gives_no_right_its_user_has_not_got(cast):
    foreign = cast.foreign.repositories.get()
    user = come_by_token(cast.developer, cast.repository, foreign)
    assert list(visible_repositories(user)) == [cast.repository]
    assert not may(user, "view", foreign)
    assert not may(user, "view", cast.foreign)
    assert not may(user, "decide_request", cast.alice.requests.get())


@pytest.mark.parametrize("scope", ApiToken.Scope.values)
def test_a_token_does_what_its_scopes_name(cast, scope):
    user = come_by_token(cast.lead, scopes=[scope])
    request = cast.alice.requests.get()
    allowed = {
        "read": may(user, "view", cast.repository),
        "request": may(user, "request_signer", cast.repository),
        "publish": may(user, "publish", cast.repository),
        "approve": may(user, "decide_request", request),
        "manage": may(user, "manage_account", cast.account),
    }
    assert {name for name, is_allowed in allowed.items() if is_allowed} == {scope}
