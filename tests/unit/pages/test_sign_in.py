"""Signing in, the one-time password, colours."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import AuditEvent, User
from tests.factories import Cast, make_user

from .reading import Page

CHOSEN = "six brave lanterns"


def test_a_person_signs_in_with_user_name_and_password(cast: Cast) -> None:
    client = Client()
    assert client.get("/").url == "/me/login/?next=/"
    response = client.post("/me/login/", {"login": "dan", "password": "pw"})
    assert (response.status_code, response.url) == (302, "/")
    assert "Hello, dan" in client.get("/").content.decode()


def test_a_wrong_password_says_so_and_is_not_shown_again(cast: Cast) -> None:
    page = Page(Client().post("/me/login/", {"login": "dan", "password": "wrong-guess"}))
    assert "Nothing was done yet." in page.text
    assert "wrong-guess" not in page.html
    assert page.field("login")["value"] == "dan"


def test_nobody_signs_up_alone(db: None) -> None:
    response = Client().post("/me/signup/", {"username": "mallory", "password1": CHOSEN})
    assert "By invitation" in response.content.decode()
    assert not User.objects.filter(username="mallory").exists()


def test_signing_out_asks_first(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    assert "Sign out?" in client.get("/me/logout/").content.decode()
    client.post("/me/logout/")
    assert client.get("/").status_code == 302


def test_a_one_time_password_opens_only_the_page_that_replaces_it(
    db: None, as_person: Callable[[User], Client]
) -> None:
    user = make_user("once", must_change_password=True)
    client = as_person(user)
    for url in ("/", "/repositories/", "/new/account/"):
        assert client.get(url).url == "/me/password/change/"
    page = Page(client.get("/me/password/change/"))
    assert "Choose your own password" in page.text
    assert page.field("password1")["autocomplete"] == "new-password"


@pytest.mark.parametrize("chosen", ["short", "password1234", "once-once-once"])
def test_a_poor_password_keeps_the_person_there(db: None, as_person: Callable[[User], Client], chosen: str) -> None:
    client = as_person(make_user("once-once-on", must_change_password=True))
    client.post("/me/password/change/", {"oldpassword": "pw", "password1": chosen, "password2": chosen})
    assert client.get("/").url == "/me/password/change/"
    assert not AuditEvent.objects.exists()


def test_choosing_a_password_opens_everything(db: None, as_person: Callable[[User], Client]) -> None:
    user = make_user("once", must_change_password=True)
    client = as_person(user)
    response = client.post("/me/password/change/", {"oldpassword": "pw", "password1": CHOSEN, "password2": CHOSEN})
    assert (response.status_code, response.url) == (302, "/")
    user.refresh_from_db()
    assert not user.must_change_password
    assert user.check_password(CHOSEN)
    assert client.get("/").status_code == 200
    assert [event.action for event in AuditEvent.objects.all()] == ["change_own_password"]


def test_a_chosen_theme_is_remembered_without_javascript(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    response = client.post("/theme/", {"theme": "dark", "next": "/keys/"})
    assert response.url == "/keys/"
    page = Page(client.get("/keys/"))
    assert page.all("html", **{"data-theme": "dark"})
    assert [b["value"] for b in page.all("button", name="theme", **{"aria-pressed": "true"})] == ["dark"]


def test_a_theme_that_does_not_exist_changes_nothing(cast: Cast) -> None:
    response = Client().post("/theme/", {"theme": "<script>", "next": "https://evil.example/"})
    assert response.url == "/"
    assert "theme" not in response.cookies


def test_a_chosen_language_is_remembered_without_javascript(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    assert Page(client.get("/keys/")).all("html", lang="en")
    response = client.post("/language/", {"language": "zh-hans", "next": "/keys/"})
    assert response.url == "/keys/"
    page = Page(client.get("/keys/"))
    assert page.all("html", lang="zh-hans")
    assert [b["value"] for b in page.all("button", name="language", **{"aria-pressed": "true"})] == ["zh-hans"]


def test_whoever_chose_no_language_gets_the_browsers(db: None) -> None:
    answer = Client().get("/me/login/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert Page(answer).all("html", lang="zh-hans")
    assert Page(Client().get("/me/login/", headers={"Accept-Language": "fr"})).all("html", lang="en")


def test_a_language_that_does_not_exist_changes_nothing(cast: Cast) -> None:
    response = Client().post("/language/", {"language": "../../tlh", "next": "https://evil.example/"})
    assert response.url == "/"
    assert "language" not in response.cookies


def test_health_answers_everybody(db: None) -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}
