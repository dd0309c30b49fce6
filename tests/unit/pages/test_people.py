"""People, as an administrator sees them, and as others do not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import User
from tests.factories import Cast, make_request, make_user

from .reading import Page

ONE_TIME = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}")


def password_on(page: Page) -> str:
    """Find the one password a page shows, beside its copy button."""
    (password,) = {a["data-copy"] for _, a in page.tags if ONE_TIME.fullmatch(a.get("data-copy") or "")}
    assert password
    return password


def test_an_administrator_adds_a_person_who_signs_in_and_chooses_a_password(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    response = as_person(cast.admin).post("/new/person/", {"username": "nina", "full_name": "Nina", "email": ""})
    assert "no-store" in response["Cache-Control"]
    password = password_on(Page(response))
    nina = Client()
    assert nina.post("/me/login/", {"login": "nina", "password": password}).url == "/"
    assert nina.get("/").url == "/me/password/change/"


def test_a_one_time_password_is_shown_exactly_once(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.admin)
    password = password_on(Page(client.post("/new/person/", {"username": "nina"})))
    person = User.objects.get(username="nina")
    for url in ("/people/", person.get_absolute_url(), "/audit/"):
        assert password not in client.get(url).content.decode(), url
    assert password not in str(dict(client.session))


def test_what_cannot_be_a_person_comes_back_with_what_was_typed(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    response = as_person(cast.admin).post("/new/person/", {"username": "dan", "full_name": "Another Dan"})
    page = Page(response)
    assert response.status_code == 409
    assert page.field("full_name")["value"] == "Another Dan"
    assert not ONE_TIME.search(page.text)


def test_the_list_shows_roles_and_state_and_can_be_narrowed(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_user("gone", is_active=False, first_name="Gone Girl")
    client = as_person(cast.admin)
    page = Page(client.get("/people/"))
    assert "team: developer" in page.text
    assert "Deactivated" in page.text
    assert cast.lead.get_absolute_url() in page.html
    assert [*names(client.get("/people/?q=girl"))] == ["gone"]
    assert [*names(client.get("/people/?show=deactivated"))] == ["gone"]
    assert [*names(client.get("/people/?show=administrators"))] == ["root"]
    assert "gone" not in names(client.get("/people/?show=active"))
    assert "Nobody fits" in Page(client.get("/people/?q=nothing-like-it")).text


def names(response: object) -> list[str]:
    return [person.username for person in response.context["page"]]


def test_a_persons_page_shows_what_they_have_a_part_in(cast: Cast, as_person: Callable[[User], Client]) -> None:
    asked = make_request(cast.alice, [cast.repository], cast.signer)
    page = Page(as_person(cast.admin).get(cast.signer.get_absolute_url()))
    for thing in (cast.account, cast.alice, cast.alice.key, asked):
        assert page.offers(thing.get_absolute_url()), thing


def test_a_forgotten_password_is_replaced(cast: Cast, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.admin).post(f"/people/{cast.developer.pk}/password/"))
    assert User.objects.get(username="dan").check_password(password_on(page))


def test_a_deactivated_person_cannot_sign_in_until_activated(cast: Cast, as_person: Callable[[User], Client]) -> None:
    admin = as_person(cast.admin)
    assert admin.post(f"/people/{cast.developer.pk}/deactivate/").url == cast.developer.get_absolute_url()
    page = Page(Client().post("/me/login/", {"login": "dan", "password": "pw"}))
    assert "Nothing was done yet." in page.text
    page = Page(admin.get(cast.developer.get_absolute_url()))
    assert "Cannot sign in." in page.text
    assert not page.offers(f"/people/{cast.developer.pk}/password/")
    password = password_on(Page(admin.post(f"/people/{cast.developer.pk}/activate/")))
    assert Client().post("/me/login/", {"login": "dan", "password": password}).url == "/"


def test_the_last_administrator_is_told_why_not(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.admin).post(f"/people/{cast.admin.pk}/deactivate/")
    assert response.status_code == 409
    assert "last administrator" in Page(response).text


@pytest.mark.parametrize("person", ["lead", "developer", "outsider"])
def test_others_find_no_people(cast: Cast, as_person: Callable[[User], Client], person: str) -> None:
    client = as_person(getattr(cast, person))
    assert not Page(client.get("/")).offers("/people/")
    assert client.get("/people/").status_code == 403
    assert client.post("/new/person/", {"username": "nina"}).status_code == 403
    for url in ("", "password/", "activate/", "deactivate/"):
        address = f"/people/{cast.signer.pk}/{url}"
        assert (client.post(address) if url else client.get(address)).status_code == 404, address
    assert User.objects.get(pk=cast.signer.pk).check_password("pw")


def test_an_administrator_changes_name_and_address(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.admin)
    url = f"/people/{cast.developer.pk}/change/"
    sent = {"full_name": "Dan Dee", "email": "dan@example.com", "username": "root", "is_superuser": "on"}
    assert client.post(url, sent).url == cast.developer.get_absolute_url()
    person = User.objects.get(pk=cast.developer.pk)
    assert (str(person), person.email, person.username, person.is_superuser) == (
        "Dan Dee",
        "dan@example.com",
        "dan",
        False,
    )
    bad = client.post(url, {"full_name": "x", "email": "nobody"})
    assert bad.status_code == 400
    assert Page(bad).field("email")["value"] == "nobody"


@pytest.mark.parametrize("standing", ["administrator", "auditor"])
def test_a_standing_is_given_and_taken(cast: Cast, as_person: Callable[[User], Client], standing: str) -> None:
    client, url = as_person(cast.admin), f"/people/{cast.developer.pk}/standing/"
    assert client.post(url, {"standing": standing}).url == cast.developer.get_absolute_url()
    assert as_person(User.objects.get(pk=cast.developer.pk)).get("/people/").status_code == 200
    assert "dan" in names(client.get(f"/people/?show={standing}s"))
    client.post(url, {"standing": "member"})
    assert as_person(User.objects.get(pk=cast.developer.pk)).get("/people/").status_code == 403


def test_the_last_administrator_is_told_why_they_stay_one(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.admin).post(f"/people/{cast.admin.pk}/standing/", {"standing": "member"})
    assert response.status_code == 409
    assert "last administrator" in Page(response).text
    assert User.objects.get(pk=cast.admin.pk).is_superuser


def test_an_auditor_of_the_installation_reads_people_and_changes_none(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    User.objects.filter(pk=cast.auditor.pk).update(reads_everything=True)
    client = as_person(cast.auditor)
    page = Page(client.get(cast.developer.get_absolute_url()))
    assert not page.all("form", action=f"/people/{cast.developer.pk}/deactivate/")
    for what in ("change", "standing", "password", "deactivate"):
        assert client.post(f"/people/{cast.developer.pk}/{what}/", {"standing": "auditor"}).status_code == 403, what
    assert client.get("/new/person/").status_code == 403
