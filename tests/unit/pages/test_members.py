"""Who has which role, in an account and in one repository, and until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from signing.models import Membership, User
from tests.factories import Cast, make_member, make_user

from .reading import Page


def test_a_lead_gives_and_takes_roles(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_user("nina")
    client = as_person(cast.lead)
    assert client.post("/accounts/team/members/", {"user": "nina", "role": "auditor"}).status_code == 302
    assert Membership.objects.get(user__username="nina").role == "auditor"
    client.post("/accounts/team/members/", {"user": "nina", "role": "developer"})
    assert Membership.objects.get(user__username="nina").role == "developer"
    client.post("/accounts/team/members/remove/", {"user": "nina"})
    assert not Membership.objects.filter(user__username="nina").exists()


def test_an_unknown_person_is_named_as_such(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.lead).post("/accounts/team/members/", {"user": "ghost", "role": "signer"})
    assert response.status_code == 400
    assert "There is no person with the user name ghost here." in Page(response).text


def test_a_deactivated_person_is_as_unknown_as_nobody(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_user("gone", is_active=False)
    response = as_person(cast.lead).post("/accounts/team/members/", {"user": "gone", "role": "signer"})
    assert "There is no person with the user name gone here." in Page(response).text


def test_no_page_of_a_lead_names_people_of_other_accounts(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    for url in ("/accounts/team/", "/accounts/team/members/", "/new/signer/?account=team"):
        html = client.get(url).content.decode()
        assert "dan" in html, url
        assert "oscar" not in html, url


@pytest.mark.parametrize("user", ["oscar", "ghost"])
def test_who_may_not_add_people_learns_nothing_about_user_names(
    cast: Cast, as_person: Callable[[User], Client], user: str
) -> None:
    response = as_person(cast.developer).post("/accounts/team/members/", {"user": user, "role": "lead"})
    assert response.status_code == 403
    assert user not in response.content.decode()


def test_a_developer_changes_no_roles(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    page = Page(client.get("/accounts/team/members/"))
    assert not page.offers("/accounts/team/members/remove/")
    assert not page.all("input", name="role")
    assert client.post("/accounts/team/members/", {"user": "dan", "role": "lead"}).status_code == 403
    assert client.post("/accounts/team/members/remove/", {"user": "lea"}).status_code == 403
    assert Membership.objects.get(user=cast.developer).role == "developer"


def test_leaving_the_own_account_ends_on_the_list(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.lead).post("/accounts/team/members/remove/", {"user": "lea"})
    assert response.url == "/accounts/"


def test_a_lead_cannot_choose_what_they_may_not_give(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    offered = {option["value"] for option in Page(client.get("/accounts/team/members/")).all("option")}
    assert offered == {"signer", "developer", "auditor"}
    assert client.post("/accounts/team/members/", {"user": "dan", "role": "lead"}).status_code == 400
    assert Membership.objects.get(user=cast.developer).role == "developer"
    admin = as_person(make_member(cast.account, "abe", "admin"))
    assert admin.post("/accounts/team/members/", {"user": "dan", "role": "lead"}).status_code == 302
    assert client.post("/accounts/team/members/remove/", {"user": "dan"}).status_code == 403


def test_a_role_ends_with_the_last_day_that_was_given(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    day = timezone.now().date() + timedelta(days=10)
    sent = {"user": "dan", "role": "signer", "last_day": day.isoformat()}
    assert client.post("/accounts/team/members/", sent).status_code == 302
    ends = Membership.objects.get(user=cast.developer).ends_at
    assert ends == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert "ends in 10 days" in Page(client.get("/accounts/team/members/")).text
    past = client.post("/accounts/team/members/", {**sent, "last_day": "2020-01-01"})
    assert past.status_code == 400
    assert "has passed already" in Page(past).text


def test_a_role_that_ended_is_shown_as_such_until_it_is_removed(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    Membership.objects.filter(user=cast.developer).update(ends_at=timezone.now())
    page = Page(as_person(cast.lead).get("/accounts/team/members/"))
    assert "Ended" in page.text
    assert as_person(cast.developer).get("/accounts/team/").status_code == 404


def test_a_guest_of_one_repository(cast: Cast, as_person: Callable[[User], Client]) -> None:
    guest, client = make_user("guest"), as_person(cast.lead)
    url = f"/repository-members/{cast.repository.gun}/"
    assert client.post(url, {"user": "guest", "role": "developer"}).url == url
    page = Page(client.get(url))
    assert "guest" in page.text
    assert "By the account" in page.text
    assert as_person(guest).get(cast.repository.get_absolute_url()).status_code == 200
    assert "By the account" not in Page(as_person(guest).get(url)).text
    client.post(f"/repository-members-remove/{cast.repository.gun}/", {"user": "guest"})
    assert as_person(guest).get(cast.repository.get_absolute_url()).status_code == 404


def test_removing_names_somebody_who_has_a_role_there(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    url = f"/repository-members-remove/{cast.repository.gun}/"
    assert client.post(url, {"user": "dan"}).status_code == 404  # a role of the account, not of the repository
    assert client.post("/accounts/team/members/remove/", {"user": "oscar"}).status_code == 404
