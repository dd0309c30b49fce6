from __future__ import annotations

import pytest

from signing.errors import Conflict, NotAllowed
from signing.selectors.people import machines_run_by
from signing.services.machines import create_machine
from signing.services.people import activate_person, deactivate_person, give_new_password
from signing.trust.errors import InvalidInput, InvalidName
from tests.factories import make_repository


def test_a_lead_makes_a_machine_that_cannot_sign_in(cast, one_event, client):
    with one_event("create_machine"):
        machine = create_machine(actor=cast.lead, account=cast.account, username="ci", full_name="Build server")
    assert (machine.is_machine, machine.has_usable_password(), str(machine)) == (True, False, "Build server")
    membership = machine.memberships.get()
    assert (membership.account, membership.repository, membership.role) == (cast.account, None, "developer")
    assert not client.login(username="ci", password="")


def test_a_machine_may_be_of_single_repositories(cast):
    machine = create_machine(actor=cast.lead, account=cast.account, username="ci", repositories=[cast.repository])
    assert [row.repository for row in machine.memberships.all()] == [cast.repository]
    with pytest.raises(InvalidInput):
        create_machine(
            actor=cast.lead, account=cast.account, username="cd", repositories=[make_repository(cast.foreign)]
        )


def test_only_leads_make_machines_and_answer_for_them(cast):
    for person in (cast.signer, cast.developer, cast.auditor, cast.outsider):
        with pytest.raises(NotAllowed):
            create_machine(actor=person, account=cast.account, username="ci")
    machine = create_machine(actor=cast.lead, account=cast.account, username="ci")
    assert machines_run_by(cast.lead) == machines_run_by(cast.admin) == [machine]
    assert machines_run_by(cast.outsider) == machines_run_by(cast.developer) == []


def test_its_name_is_taken_once_and_plain(cast):
    with pytest.raises(Conflict):
        create_machine(actor=cast.lead, account=cast.account, username="DAN")
    with pytest.raises(InvalidName):
        create_machine(actor=cast.lead, account=cast.account, username="two words")


def test_nobody_gives_a_machine_a_password(cast):
    machine = create_machine(actor=cast.lead, account=cast.account, username="ci")
    with pytest.raises(Conflict, match="no password"):
        give_new_password(actor=cast.admin, person=machine)
    deactivate_person(actor=cast.admin, person=machine)
    with pytest.raises(Conflict, match="no password"):
        activate_person(actor=cast.admin, person=machine)
