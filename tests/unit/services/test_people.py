from __future__ import annotations

import pytest

from signing.errors import Conflict, NotAllowed
from signing.models import AuditEvent, User
from signing.services.people import (
    activate_person,
    create_person,
    deactivate_person,
    give_new_password,
    keep_chosen_password,
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
