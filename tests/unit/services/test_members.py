from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing.errors import NotAllowed
from signing.models import AuditEvent, Membership
from signing.services.members import remove_member, set_member
from signing.trust.errors import InvalidInput, NotFound
from tests.factories import make_member, make_repository, make_user


def role_of(user, repository=None):
    return Membership.objects.filter(user=user, repository=repository).values_list("role", flat=True).get()


def test_a_lead_gives_and_takes_roles(cast, one_event):
    person = make_user("nina")
    with one_event("set_member"):
        set_member(actor=cast.lead, account=cast.account, user=person, role="auditor")
    with one_event("set_member"):
        set_member(actor=cast.lead, account=cast.account, user=person, role="signer")
    assert role_of(person) == "signer"
    with one_event("remove_member"):
        remove_member(actor=cast.lead, account=cast.account, user=person)
    assert not cast.account.memberships.filter(user=person).exists()


def test_a_change_of_a_role_is_recorded_with_what_was_before(cast):
    end = timezone.now() + timedelta(days=3)
    set_member(actor=cast.lead, account=cast.account, user=cast.developer, role="signer", ends_at=end)
    detail = AuditEvent.objects.first().detail
    assert detail["before"] == {"role": "developer", "ends": ""}
    assert detail["after"] == {"role": "signer", "ends": end.isoformat()}


def test_nobody_else_gives_or_takes_roles(cast):
    for person in (cast.signer, cast.developer, cast.auditor, cast.outsider):
        with pytest.raises(NotAllowed):
            set_member(actor=person, account=cast.account, user=person, role="auditor")
        with pytest.raises(NotAllowed):
            remove_member(actor=person, account=cast.account, user=cast.auditor)


@pytest.mark.parametrize("role", ["lead", "admin"])
def test_a_lead_makes_nobody_their_equal(cast, role):
    with pytest.raises(NotAllowed, match="admin of the account"):
        set_member(actor=cast.lead, account=cast.account, user=cast.developer, role=role)
    admin = make_member(cast.account, "abe", "admin")
    set_member(actor=admin, account=cast.account, user=cast.developer, role=role)
    assert role_of(cast.developer) == role


def test_a_lead_demotes_and_removes_no_other_lead_but_may_leave(cast):
    with pytest.raises(NotAllowed):
        set_member(actor=cast.lead, account=cast.account, user=cast.other_lead, role="auditor")
    with pytest.raises(NotAllowed):
        remove_member(actor=cast.lead, account=cast.account, user=cast.other_lead)
    remove_member(actor=cast.lead, account=cast.account, user=cast.lead)
    with pytest.raises(NotAllowed):
        remove_member(actor=cast.lead, account=cast.account, user=cast.developer)


def test_a_role_in_a_repository_stands_beside_the_one_in_the_account(cast):
    set_member(actor=cast.lead, account=cast.account, user=cast.developer, role="signer", repository=cast.repository)
    assert (role_of(cast.developer), role_of(cast.developer, cast.repository)) == ("developer", "signer")
    remove_member(actor=cast.lead, account=cast.account, user=cast.developer, repository=cast.repository)
    assert role_of(cast.developer) == "developer"
    with pytest.raises(NotFound):
        remove_member(actor=cast.lead, account=cast.account, user=cast.developer, repository=cast.repository)


def test_who_leads_one_repository_gives_roles_in_that_one_only(cast):
    guest = make_user("guest")
    Membership.objects.create(account=cast.account, repository=cast.repository, user=guest, role="lead")
    other = make_repository(cast.account, "other")
    set_member(actor=guest, account=cast.account, user=cast.outsider, role="developer", repository=cast.repository)
    for place in (None, other):
        with pytest.raises(NotAllowed):
            set_member(actor=guest, account=cast.account, user=cast.outsider, role="developer", repository=place)
    with pytest.raises(NotAllowed):
        set_member(actor=guest, account=cast.account, user=cast.outsider, role="lead", repository=cast.repository)


def test_a_repository_of_another_account_is_refused(cast):
    foreign = make_repository(cast.foreign)
    with pytest.raises(InvalidInput):
        set_member(actor=cast.lead, account=cast.account, user=cast.developer, role="signer", repository=foreign)


def test_an_unknown_role_or_an_end_that_passed_is_refused(cast):
    for given in ({"role": "king"}, {"role": "signer", "ends_at": timezone.now()}):
        with pytest.raises(InvalidInput):
            set_member(actor=cast.lead, account=cast.account, user=cast.developer, **given)
    assert role_of(cast.developer) == "developer"


def test_a_machine_account_gets_roles_it_can_use_from_who_answers_for_it(cast):
    machine = make_user("ci", is_machine=True)
    Membership.objects.create(account=cast.account, user=machine, role="developer")
    with pytest.raises(InvalidInput, match="machine account"):
        set_member(actor=cast.lead, account=cast.account, user=machine, role="lead")
    set_member(actor=cast.lead, account=cast.account, user=machine, role="auditor")
    with pytest.raises(NotAllowed):
        set_member(actor=cast.outsider, account=cast.foreign, user=machine, role="developer")
    assert role_of(machine) == "auditor"
