"""Sessions: a new one for each sign-in, an end for each, and none that outlives its person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from signing.models import AuditEvent, User
from tests.factories import Cast

from .reading import Page

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


def sign_in(user: User, **options: str) -> Client:
    client = Client(**options)
    assert client.post("/me/login/", {"login": user.username, "password": "pw"}).url == "/"
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("number")


def test_signing_in_gives_another_session_id_and_the_old_one_opens_nothing(cast: Cast) -> None:
    """Whoever planted an id in somebody's browser beforehand gains nothing."""
    client = Client()
    client.get("/me/login/")
    client.post("/theme/", {"theme": "dark"})
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["trustui_session"] = planted
    client.post("/me/login/", {"login": "dan", "password": "pw"})
    assert client.cookies["trustui_session"].value != planted
    thief = Client()
    thief.cookies["trustui_session"] = planted
    assert not is_in(thief)


def test_signing_in_and_out_are_one_event_each(cast: Cast) -> None:
    client = sign_in(cast.developer)
    assert (last_event().action, last_event().actor) == ("sign_in", cast.developer)
    client.post("/me/logout/")
    assert (last_event().action, last_event().actor) == ("sign_out", cast.developer)
    assert AuditEvent.objects.count() == 2
    assert not is_in(client)


def test_i_see_where_i_am_signed_in_and_end_the_others(cast: Cast) -> None:
    here, there = sign_in(cast.developer, HTTP_USER_AGENT="Here/1"), sign_in(cast.developer, HTTP_USER_AGENT="There/2")
    page = Page(here.get("/me/sign-in/"))
    assert "Here/1" in page.text
    assert "There/2" in page.text
    assert here.post("/me/sign-in/sessions/end/").url == "/me/sign-in/"
    assert is_in(here)
    assert not is_in(there)
    assert (last_event().action, last_event().detail) == ("end_other_sessions", {"ended_sessions": 1})


@pytest.mark.parametrize(
    ("user_agent", "named"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on an iPhone"),
        ("", "An unnamed program"),
        ("<script>alert(1)</script>" * 4, "<script>alert(1)</script><script>alert(1)"[:40]),
    ],
)
def test_a_session_is_named_after_its_browser(cast: Cast, user_agent: str, named: str) -> None:
    page = Page(sign_in(cast.developer, HTTP_USER_AGENT=user_agent).get("/me/sign-in/", HTTP_USER_AGENT=user_agent))
    assert named in page.text
    assert "<script>alert" not in page.html


def test_i_end_one_session(cast: Cast) -> None:
    here, there = sign_in(cast.developer), sign_in(cast.developer)
    (end,) = [form["action"] for form in Page(here.get("/me/sign-in/")).all("form") if _ends_one(form["action"])]
    assert here.post(end).status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert last_event().action == "end_session"
    assert here.post(end).status_code == 404


def _ends_one(action: str | None) -> bool:
    return bool(action) and action.startswith("/me/sign-in/sessions/") and action != "/me/sign-in/sessions/end/"


def test_nobody_ends_the_session_of_somebody_else(cast: Cast) -> None:
    dan, lea = sign_in(cast.developer), sign_in(cast.lead)
    (pk,) = cast.developer.usersession_set.values_list("pk", flat=True)
    assert lea.post(f"/me/sign-in/sessions/{pk}/end/").status_code == 404
    assert is_in(dan)


def test_i_sign_out_everywhere(cast: Cast) -> None:
    here, there = sign_in(cast.developer), sign_in(cast.developer)
    assert here.post("/me/sign-in/sessions/end/", {"here": "1"}).url == "/me/login/"
    assert not is_in(here)
    assert not is_in(there)


@pytest.mark.parametrize("act", ["deactivate", "sessions", "password"])
def test_an_administrator_ends_every_session_at_once(cast: Cast, as_person: Callable[[User], Client], act: str) -> None:
    clients = [sign_in(cast.developer), sign_in(cast.developer)]
    before = AuditEvent.objects.count()
    as_person(cast.admin).post(f"/people/{cast.developer.pk}/{act}/")
    assert AuditEvent.objects.count() == before + 1
    assert not any(is_in(client) for client in clients)


def test_activating_brings_no_session_back(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client, admin = sign_in(cast.developer), as_person(cast.admin)
    for act in ("deactivate", "activate"):
        admin.post(f"/people/{cast.developer.pk}/{act}/")
    assert not is_in(client)


def test_an_idle_session_ends(cast: Cast, settings: Settings) -> None:
    settings.SESSION_IDLE = timedelta(minutes=30)
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(cast.developer)
        for _ in range(4):
            clock.shift(timedelta(minutes=25))
            assert is_in(client)
        clock.shift(timedelta(minutes=31))
        answer = client.get("/keys/")
        assert answer.url == "/me/login/?next=/keys/"
        assert "Your session was too old" in Page(client.get(answer.url)).text


def test_a_page_that_follows_work_by_itself_does_not_keep_anybody_signed_in(cast: Cast, settings: Settings) -> None:
    settings.SESSION_IDLE = timedelta(minutes=30)
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(cast.developer)
        client.get("/")
        for _ in range(3):
            clock.shift(timedelta(minutes=9))
            assert client.get("/", headers={"HX-Request": "true"}).status_code == 200
        clock.shift(timedelta(minutes=9))
        assert not is_in(client)


def test_no_session_is_older_than_the_longest(cast: Cast, settings: Settings) -> None:
    settings.SESSION_IDLE, settings.SESSION_LONGEST = timedelta(hours=2), timedelta(hours=10)
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(cast.developer)
        for _ in range(9):
            clock.shift(timedelta(hours=1))
            assert is_in(client)
        clock.shift(timedelta(hours=1, minutes=1))
        assert not is_in(client)
