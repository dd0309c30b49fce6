"""A forgotten password: a link by mail, where mail is configured, and nothing that tells whose address it is."""

from __future__ import annotations

import re
import threading

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from signing.models import AuditEvent, User
from tests.factories import Cast
from trustui.sign_in import accounts

from .reading import Page

CHOSEN = "six brave lanterns"


@pytest.fixture
def mailing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Configure mail; what is sent beside the answer can be waited for."""
    cache.clear()
    settings.SENDS_MAIL = True
    sending: list[threading.Thread] = []
    send = accounts.send_soon
    monkeypatch.setattr(accounts, "send_soon", lambda message: sending.append(send(message)))
    return sending


def asked(address: str, sending: list[threading.Thread]) -> tuple[str, list[str]]:
    """Ask for a link; give where the answer leads to, and the links that were sent."""
    mail.outbox.clear()
    answer = Client().post("/me/password/forgotten/", {"email": address})
    for thread in sending:
        thread.join()
    return answer.url, [link for sent in mail.outbox for link in re.findall(r"http://testserver(/\S+)", sent.body)]


def with_address(person: User) -> User:
    person.email = f"{person.username}@team.test"
    person.save()
    return person


def test_a_new_password_by_mail(cast: Cast, mailing: list[threading.Thread]) -> None:
    person = with_address(cast.developer)
    person.must_change_password = True
    person.save()
    old = Client()
    old.force_login(person)
    _, (link,) = asked("DAN@team.test", mailing)
    client = Client()
    page = client.get(link, follow=True)
    form = {"password1": CHOSEN, "password2": CHOSEN}
    assert client.post(page.wsgi_request.path, form).url == "/me/password/reset/done/"
    person.refresh_from_db()
    assert person.check_password(CHOSEN)
    assert not person.must_change_password
    assert old.get("/").status_code == 302
    assert client.get("/").status_code == 302  # it signs nobody in: a second factor is still asked for
    assert [event.action for event in AuditEvent.objects.all()] == ["reset_own_password"]
    assert "does not work any more" in Page(Client().get(link, follow=True)).text  # once


def test_nothing_tells_whether_an_address_is_known(cast: Cast, mailing: list[threading.Thread]) -> None:
    person = with_address(cast.developer)
    gone = with_address(cast.auditor)
    gone.is_active = False
    gone.save()
    elsewhere = with_address(cast.signer)
    elsewhere.set_unusable_password()
    elsewhere.save()
    places = {asked(address, mailing)[0] for address in (person.email, "nobody@team.test", gone.email)}
    assert places == {"/me/password/forgotten/sent/"}
    for address in ("nobody@team.test", gone.email, elsewhere.email):
        assert asked(address, mailing)[1] == []
    assert not AuditEvent.objects.exists()


def test_the_answer_does_not_wait_for_the_mail(
    cast: Cast, mailing: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its time would tell whether the address is known."""
    person, may_go_on = with_address(cast.developer), threading.Event()
    monkeypatch.setattr("django.core.mail.EmailMessage.send", lambda self: may_go_on.wait(20))
    answer = Client().post("/me/password/forgotten/", {"email": person.email})
    assert answer.status_code == 302
    (thread,) = mailing
    assert thread.is_alive()
    may_go_on.set()
    thread.join()


@pytest.mark.parametrize(
    "link", ["/me/password/reset/1-abc/", "/me/password/reset/zzz-1-2/", "/me/password/reset/0-x/"]
)
def test_a_made_up_link_opens_nothing(cast: Cast, mailing: list[threading.Thread], link: str) -> None:
    assert "does not work any more" in Page(Client().get(link, follow=True)).text


def test_without_mail_there_is_no_such_page(cast: Cast, settings: Settings) -> None:
    settings.SENDS_MAIL = False
    for url in ("/me/password/forgotten/", "/me/password/forgotten/sent/", "/me/password/reset/1-abc/"):
        assert Client().get(url).status_code == 404
    assert "Password forgotten?" not in Page(Client().get("/me/login/")).text
