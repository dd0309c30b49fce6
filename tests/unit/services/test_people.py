from __future__ import annotations

import pytest

from signing.errors import Conflict, NotAllowed
from signing.models import AuditEvent, User
from signing.services.api_tokens import authenticate, create_token
from signing.services.people import (
    activate_person,
    change_person,
    create_person,
    deactivate_person,
    give_new_password,
    keep_chosen_password,
    set_standing,
    standing_of,
)
from signing.trust.errors import InvalidInput, InvalidName
from tests.factories import make_user


def test_a_new_person_gets_a_password_that_is_for_one_sign_in(cast, one_event):
    with one_event("create_person"):
        made = create_person(actor=cast.admin, username="nina", full_name="Nina Østby", email="nina@example.com")
    person = User.objects.get(username="nina")
    assert made.person == person
    assert person.check_password(made.password)
    assert person.must_change_password
    assert (str(person), person.email, person.is_superuser, person.is_staff) == (
        "Nina Østby",
        "nina@example.com",
        False,
        False,
    )
    assert not person.memberships.exists()


def test_a_handed_out_password_is_in_no_record_and_no_repr(cast):
    made = create_person(actor=cast.admin, username="nina")
    again = give_new_password(actor=cast.admin, person=made.person)
    assert made.password != again.password
    for secret in (made.password, again.password):
        assert secret not in repr((made, again))
        assert secret not in str(list(AuditEvent.objects.values()))
        assert secret not in str(list(User.objects.values()))


@pytest.mark.parametrize("username", ["", "two words", "a/b", "a:b", "l\u0435a", "x" * 151, "nina\n"])
def test_a_user_name_is_plain(cast, username):
    with pytest.raises(InvalidName):
        create_person(actor=cast.admin, username=username)


@pytest.mark.parametrize("given", [{"username": "DAN"}, {"username": "nina", "email": "Dan@Example.com"}])
def test_nobody_can_be_taken_for_somebody_else(cast, given):
    User.objects.filter(username="dan").update(email="dan@example.com")
    with pytest.raises(Conflict):
        create_person(actor=cast.admin, **given)


@pytest.mark.parametrize("given", [{"full_name": "Nina\u202eanin"}, {"full_name": "n" * 151}, {"email": "nina"}])
def test_what_cannot_be_shown_or_written_to_is_refused(cast, given):
    with pytest.raises(InvalidInput):
        create_person(actor=cast.admin, username="nina", **given)


def test_a_new_password_ends_the_old_one_and_its_sessions(cast, one_event, client):
    client.force_login(cast.developer)
    with one_event("give_new_password"):
        made = give_new_password(actor=cast.admin, person=cast.developer)
    person = User.objects.get(pk=cast.developer.pk)
    assert person.check_password(made.password)
    assert not person.check_password("pw")
    assert client.get("/").url.startswith("/me/login/")


def test_administrators_change_their_own_password_themselves(cast):
    with pytest.raises(Conflict, match="sign you out"):
        give_new_password(actor=cast.admin, person=cast.admin)


def test_a_deactivated_person_is_out_at_once_and_for_good(cast, one_event, client):
    client.force_login(cast.developer)
    with one_event("deactivate_person"):
        deactivate_person(actor=cast.admin, person=cast.developer)
    assert client.get("/").url.startswith("/me/login/")
    activate_person(actor=cast.admin, person=cast.developer)
    assert client.get("/").url.startswith("/me/login/"), "the old session came back"


def test_a_deactivated_person_stays_in_the_record(cast):
    deactivate_person(actor=cast.admin, person=cast.signer)
    cast.alice.refresh_from_db()
    assert cast.alice.user == cast.signer
    assert cast.account.memberships.filter(user=cast.signer).exists()


def test_an_activated_person_begins_with_a_one_time_password_and_the_roles_of_before(cast, one_event):
    deactivate_person(actor=cast.admin, person=cast.lead)
    with one_event("activate_person"):
        made = activate_person(actor=cast.admin, person=cast.lead)
    person = User.objects.get(pk=cast.lead.pk)
    assert person.is_active
    assert person.must_change_password
    assert person.check_password(made.password)
    assert person.memberships.get(account=cast.account).role == "lead"


@pytest.mark.parametrize("other", [{}, {"is_superuser": True, "is_active": False}])
def test_the_last_administrator_stays(cast, other):
    make_user("other", **other)
    with pytest.raises(Conflict, match="last administrator"):
        deactivate_person(actor=cast.admin, person=cast.admin)
    assert User.objects.get(pk=cast.admin.pk).is_active


def test_one_of_two_administrators_may_go(cast):
    second = make_user("second", is_superuser=True)
    deactivate_person(actor=second, person=cast.admin)
    with pytest.raises(Conflict, match="last administrator"):
        deactivate_person(actor=second, person=second)


def test_what_is_done_already_is_not_done_again(cast):
    with pytest.raises(Conflict):
        activate_person(actor=cast.admin, person=cast.developer)
    deactivate_person(actor=cast.admin, person=cast.developer)
    for again in (deactivate_person, give_new_password):
        with pytest.raises(Conflict, match="deactivated"):
            again(actor=cast.admin, person=cast.developer)


@pytest.mark.parametrize("person", ["lead", "signer", "developer", "auditor", "outsider"])
def test_only_an_administrator_manages_people(cast, person):
    actor = getattr(cast, person)
    with pytest.raises(NotAllowed):
        create_person(actor=actor, username="nina")
    for service in (give_new_password, deactivate_person, activate_person):
        with pytest.raises(NotAllowed):
            service(actor=actor, person=cast.developer)
    assert not AuditEvent.objects.exists()


def test_choosing_a_password_leaves_one_event(cast, one_event):
    cast.developer.must_change_password = True
    with one_event("change_own_password"):
        keep_chosen_password(actor=cast.developer)
    assert not User.objects.get(pk=cast.developer.pk).must_change_password


def test_name_and_address_of_a_person_change_and_the_user_name_stays(cast, one_event):
    with one_event("change_person"):
        change_person(actor=cast.admin, person=cast.developer, full_name="Dan Dee", email="dan@example.com")
    person = User.objects.get(username="dan")
    assert (str(person), person.email) == ("Dan Dee", "dan@example.com")
    detail = AuditEvent.objects.first().detail
    assert detail["before"] == {"full_name": "", "email": ""}
    assert detail["after"] == {"full_name": "Dan Dee", "email": "dan@example.com"}
    change_person(actor=cast.admin, person=person, full_name="Dan", email="DAN@example.com")


@pytest.mark.parametrize("given", [{"full_name": "a\u202eb", "email": ""}, {"full_name": "", "email": "dan"}])
def test_a_name_no_page_could_show_is_refused_later_too(cast, given):
    with pytest.raises(InvalidInput):
        change_person(actor=cast.admin, person=cast.developer, **given)


def test_nobody_takes_over_anothers_address_and_only_administrators_change_any(cast):
    change_person(actor=cast.admin, person=cast.lead, full_name="", email="lea@example.com")
    with pytest.raises(Conflict):
        change_person(actor=cast.admin, person=cast.developer, full_name="", email="LEA@example.com")
    for person in (cast.lead, cast.developer):
        with pytest.raises(NotAllowed):
            change_person(actor=person, person=person, full_name="Root", email="")


@pytest.mark.parametrize("standing", ["administrator", "auditor", "member"])
def test_an_administrator_says_what_somebody_is_in_the_installation(cast, one_event, standing):
    with one_event("set_standing"):
        person = set_standing(actor=cast.admin, person=cast.developer, standing=standing)
    assert standing_of(person) == standing
    assert AuditEvent.objects.first().detail == {"before": "member", "after": standing}
    assert (person.is_superuser, person.reads_everything) == (standing == "administrator", standing == "auditor")


def test_the_last_administrator_stays_one(cast):
    with pytest.raises(Conflict, match="last administrator"):
        set_standing(actor=cast.admin, person=cast.admin, standing="auditor")
    set_standing(actor=cast.admin, person=cast.lead, standing="administrator")
    set_standing(actor=cast.admin, person=cast.admin, standing="member")
    with pytest.raises(NotAllowed):
        set_standing(actor=User.objects.get(pk=cast.admin.pk), person=cast.lead, standing="member")


def test_a_deactivated_administrator_is_not_counted_as_one_who_is_left(cast):
    set_standing(actor=cast.admin, person=cast.lead, standing="administrator")
    deactivate_person(actor=cast.admin, person=cast.lead)
    with pytest.raises(Conflict, match="last administrator"):
        set_standing(actor=cast.admin, person=cast.admin, standing="member")
    set_standing(actor=cast.admin, person=cast.lead, standing="member")


def test_no_machine_and_nobody_else_gets_or_gives_a_standing(cast):
    machine = make_user("ci", is_machine=True)
    with pytest.raises(Conflict):
        set_standing(actor=cast.admin, person=machine, standing="administrator")
    with pytest.raises(InvalidInput):
        set_standing(actor=cast.admin, person=cast.lead, standing="king")
    for person in (cast.lead, cast.auditor):
        with pytest.raises(NotAllowed):
            set_standing(actor=person, person=person, standing="administrator")


def test_tokens_of_who_is_deactivated_stay_ended(cast):
    _, raw = create_token(actor=cast.developer, user=cast.developer, name="t", scopes=["read"], days=1)
    deactivate_person(actor=cast.admin, person=cast.developer)
    handed = activate_person(actor=cast.admin, person=User.objects.get(pk=cast.developer.pk))
    handed.person.must_change_password = False
    handed.person.save()
    assert authenticate(raw) is None
