"""Guessing: wrong passwords and codes are counted per person and per address, and then nobody looks at them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from signing.models import AuditEvent, User
from tests.factories import Cast, make_user
from trustui.settings.sign_in import ACCOUNT_RATE_LIMITS

from .reading import Page

SEED = "JBSWY3DPEHPK3PXP"
START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LOCKED = "Too many wrong passwords or codes"


@pytest.fixture(autouse=True)
def real_limits(settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = ACCOUNT_RATE_LIMITS
    cache.clear()


def guess(client: Client, name: str = "dan", password: str = "wrong", address: str = "192.0.2.1") -> HttpResponse:
    return client.post("/me/login/", {"login": name, "password": password}, REMOTE_ADDR=address)


def locks() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="lock_sign_in"))


def test_a_person_is_locked_within_ten_tries_and_told_when_to_try_again(cast: Cast) -> None:
    client = Client()
    with time_machine.travel(START, tick=False):
        for number in range(5):
            assert LOCKED not in Page(guess(client, address=f"192.0.2.{number}")).text
        page = Page(guess(client, password="pw", address="192.0.2.77"))
        assert LOCKED in page.text  # even the right one is not looked at
        assert "Try again in 5 minutes, at 10:05:00 UTC." in page.text
        assert client.get("/").status_code == 302
    with time_machine.travel(START + timedelta(minutes=5, seconds=1), tick=False):
        assert guess(client, password="pw").url == "/"


def test_the_name_is_counted_however_it_is_written_and_whichever_host_is_asked(cast: Cast, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client = Client()
    for number, name in enumerate(("dan", "DAN", " dan", "Dan ", "dAn")):
        client.post("/me/login/", {"login": name, "password": "wrong"}, headers={"host": f"host{number}.test"})
    assert LOCKED in Page(guess(client)).text


def test_an_address_is_locked_whichever_names_it_tries(cast: Cast) -> None:
    client = Client()
    for number in range(10):
        assert LOCKED not in Page(guess(client, name=f"name{number}")).text
    assert LOCKED in Page(guess(client, name="dan", password="pw")).text
    assert guess(client, name="dan", password="pw", address="198.51.100.9").url == "/"


def test_slow_guessing_is_locked_for_longer(cast: Cast) -> None:
    client, now = Client(), START
    let_through = 0
    for _ in range(39):  # every minute and a half, for an hour
        with time_machine.travel(now, tick=False):
            let_through += LOCKED not in Page(guess(client)).text
        now += timedelta(minutes=1, seconds=30)
    assert let_through == 20


def test_signing_in_as_oneself_does_not_clear_the_count(cast: Cast) -> None:
    """Else whoever has an account could guess at others without end."""
    client = Client()
    for _ in range(5):
        guess(client, name="lea")
        assert guess(Client(), name="dan", password="pw").status_code == 302
    assert LOCKED in Page(guess(client, name="lea")).text


def test_one_event_tells_of_a_lock_and_never_what_was_typed(cast: Cast) -> None:
    for _ in range(9):
        guess(Client(), password="a-guess")
    for number in range(9):
        guess(Client(), name="my secret password", address=f"198.51.100.{number}")
    first, second = sorted(locks(), key=lambda event: event.number)[:2]
    assert (first.actor, first.subject, first.detail["address"]) == (None, "dan", "192.0.2.1")
    assert second.subject == "an unknown user name"
    assert len([event for event in locks() if event.subject == "dan"]) == 1
    stored = "".join(str(event.detail) + event.subject for event in AuditEvent.objects.all())
    assert "a-guess" not in stored
    assert "my secret password" not in stored


def test_codes_of_an_app_are_counted(cast: Cast) -> None:
    client = Client()
    TOTP.activate(cast.developer, SEED)
    assert guess(client, password="pw").url == "/me/login/code/"
    for _ in range(5):
        assert "That code is wrong" in Page(client.post("/me/login/code/", {"code": "000000"})).text
    assert LOCKED in Page(client.post("/me/login/code/", {"code": "000000"})).text
    assert client.get("/").status_code == 302


def test_recovery_codes_are_counted(cast: Cast) -> None:
    client = Client()
    TOTP.activate(cast.developer, SEED)
    codes = RecoveryCodes.activate(cast.developer).get_unused_codes()
    guess(client, password="pw")
    for _ in range(5):
        client.post("/me/login/code/", {"code": "0" * len(codes[0])})
    assert LOCKED in Page(client.post("/me/login/code/", {"code": codes[0]})).text


def test_a_right_code_does_not_clear_what_an_address_guessed(cast: Cast) -> None:
    client = Client()
    codes = RecoveryCodes.activate(cast.developer).get_unused_codes()
    TOTP.activate(cast.developer, SEED)
    for number in range(10):
        guess(client, name=f"name{number}", address="127.0.0.1")
        if number == 5:
            mine = Client()
            guess(mine, password="pw", address="127.0.0.1")
            mine.post("/me/login/code/", {"code": codes[0]})
    assert LOCKED in Page(guess(client, name="other", address="127.0.0.1")).text


def test_the_old_password_is_counted_where_a_new_one_is_chosen(db: None, as_person: Callable[[User], Client]) -> None:
    client = as_person(make_user("once", must_change_password=True))
    form = {"oldpassword": "guess", "password1": "six brave lanterns", "password2": "six brave lanterns"}
    for _ in range(5):
        client.post("/me/password/change/", form)
    answer = client.post("/me/password/change/", {**form, "oldpassword": "pw"})
    assert answer.status_code in (200, 429)
    assert User.objects.get(username="once").must_change_password


def test_confirming_by_password_is_counted(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    for _ in range(5):
        client.post("/me/confirm/?next=/me/sign-in/app/", {"password": "guess"})
    page = Page(client.post("/me/confirm/?next=/me/sign-in/app/", {"password": "pw"}))
    assert LOCKED in page.text


def test_the_first_code_of_an_app_is_counted(cast: Cast) -> None:
    client = Client()
    guess(client, password="pw")
    client.post("/me/confirm/?next=/me/sign-in/app/", {"password": "pw"})
    for _ in range(5):
        client.post("/me/sign-in/app/", {"code": "000000"})
    assert LOCKED in Page(client.post("/me/sign-in/app/", {"code": "000000"})).text


def test_where_docker_fetches_tokens_the_same_count_goes_on(cast: Cast, settings: Settings) -> None:
    settings.TOKEN_KEY = settings.TOKEN_CERTIFICATE = "present"
    basic = "Basic " + base64.b64encode(b"dan:guess").decode()
    for _ in range(5):
        assert Client().get("/token", {"service": "notary"}, headers={"Authorization": basic}).status_code == 401
    answer = Client().get("/token", {"service": "notary"}, headers={"Authorization": basic})
    assert answer.status_code == 429
    assert re.fullmatch(r"\d+", answer["Retry-After"])
    assert LOCKED in answer.json()["errors"][0]["message"]
    assert LOCKED in Page(guess(Client(), password="pw", address="198.51.100.1")).text
