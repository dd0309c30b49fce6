"""Second factors: setting them up, signing in with them, losing them, and who must have one."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import DjangoCaptureOnCommitCallbacks, Settings

from signing.models import AuditEvent, User
from tests.factories import Cast
from tests.parts.passkeys import SoftPasskey

from .reading import Page


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    cache.clear()


def here() -> Client:
    """Make a browser at a host name that allows passkeys."""
    return Client(SERVER_NAME="localhost")


def sign_in(user: User, client: Client | None = None) -> Client:
    client = client or here()
    client.post("/me/login/", {"login": user.username, "password": "pw"})
    return client


def confirmed(user: User) -> Client:
    """Sign in, and confirm the password once more as before anything that matters."""
    client = sign_in(user)
    assert client.post("/me/confirm/?next=/me/sign-in/", {"password": "pw"}).url == "/me/sign-in/"
    return client


def code_of(seed: str) -> str:
    return format_hotp_value(hotp_value(seed, int(time.time()) // 30))


def set_up_app(client: Client) -> str:
    page = Page(client.get("/me/sign-in/app/"))
    (seed,) = re.findall(r'data-copy="([A-Z2-7]{32})"', page.html)
    cache.clear()
    assert client.post("/me/sign-in/app/", {"code": code_of(seed)}).url == "/me/sign-in/codes/"
    return seed


def options_in(page: Page) -> dict[str, Any]:
    (text,) = re.findall(r'<script id="passkey-options" type="application/json">(.*?)</script>', page.html)
    options: dict[str, Any] = json.loads(html.unescape(text))
    return options


def add_passkey(client: Client, passkey: SoftPasskey, name: str = "laptop") -> None:
    options = options_in(Page(client.get("/me/sign-in/passkeys/new/")))
    answer = client.post(
        "/me/sign-in/passkeys/new/",
        {"name": name, "passwordless": "on", "credential": json.dumps(passkey.create(options))},
    )
    assert answer.status_code == 302, Page(answer).text


def passkey_login(client: Client, passkey: SoftPasskey) -> Any:
    options = client.get("/me/login/passkey/", headers={"accept": "application/json"}).json()["request_options"]
    return client.post("/me/login/passkey/", {"credential": json.dumps(passkey.get(options))})


def actions() -> list[str]:
    """List what the log says, oldest first, without the signing in before it."""
    seen = AuditEvent.objects.order_by("number").values_list("action", flat=True)
    return [action for action in seen if action != "sign_in"]


# An authenticator app


def test_an_app_is_set_up_and_asked_for(cast: Cast) -> None:
    client = confirmed(cast.developer)
    seed = set_up_app(client)
    assert actions() == ["add_authenticator_app"]
    assert client.get("/").status_code == 200

    other = here()
    assert other.post("/me/login/", {"login": "dan", "password": "pw"}).url == "/me/login/code/"
    assert other.get("/").status_code == 302  # the password alone opens nothing
    assert other.post("/me/login/code/", {"code": code_of(seed)}).url == "/"
    assert other.get("/").status_code == 200
    event = AuditEvent.objects.get(action="sign_in", number=AuditEvent.objects.count())
    assert event.detail == {"methods": ["password", "totp"], "address": "127.0.0.1"}


def test_a_code_counts_once(cast: Cast) -> None:
    seed = set_up_app(confirmed(cast.developer))
    code = code_of(seed)
    assert sign_in(cast.developer).post("/me/login/code/", {"code": code}).status_code == 302
    page = Page(sign_in(cast.developer).post("/me/login/code/", {"code": code}))
    assert "was used before" in page.text


def test_the_seed_is_neither_readable_in_the_database_nor_in_the_log(cast: Cast) -> None:
    seed = set_up_app(confirmed(cast.developer))
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    told = json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert seed not in kept + told


def test_an_app_is_removed_with_one_event(cast: Cast) -> None:
    client = confirmed(cast.developer)
    set_up_app(client)
    assert client.post("/me/sign-in/app/remove/").status_code == 302
    assert not Authenticator.objects.filter(user=cast.developer).exists()  # its recovery codes went along
    assert actions() == ["add_authenticator_app", "remove_authenticator_app"]
    assert sign_in(cast.developer).get("/").status_code == 200


def test_factors_are_changed_only_by_who_knows_the_password(cast: Cast, as_person: Callable[[User], Client]) -> None:
    """A stolen session is not enough."""
    set_up_app(confirmed(cast.developer))
    client = as_person(cast.developer)
    for url in ("/me/sign-in/app/remove/", "/me/sign-in/codes/new/", "/me/sign-in/passkeys/new/"):
        assert client.post(url).url.startswith("/me/confirm/")
    assert client.get("/me/sign-in/codes/").url.startswith("/me/confirm/")
    assert Authenticator.objects.filter(user=cast.developer).count() == 2


def test_nothing_is_set_up_where_the_event_cannot_be_written(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = confirmed(cast.developer)
    page = Page(client.get("/me/sign-in/app/"))
    (seed,) = re.findall(r'data-copy="([A-Z2-7]{32})"', page.html)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the log is full")

    monkeypatch.setattr("signing.services.audit.record", fail)
    with pytest.raises(OSError, match="the log is full"):
        client.post("/me/sign-in/app/", {"code": code_of(seed)})
    assert not Authenticator.objects.exists()


# Recovery codes


def test_recovery_codes_are_shown_once(cast: Cast) -> None:
    client = confirmed(cast.developer)
    set_up_app(client)
    page = Page(client.get("/me/sign-in/codes/"))
    codes = re.findall(r"<li>(\d{10})</li>", page.html)
    assert len(codes) == 10
    assert not re.findall(r"<li>\d{10}</li>", Page(client.get("/me/sign-in/codes/")).html)


def test_a_recovery_code_signs_in_once_and_the_log_says_so(cast: Cast) -> None:
    client = confirmed(cast.developer)
    set_up_app(client)
    code = re.findall(r"<li>(\d{10})</li>", Page(client.get("/me/sign-in/codes/")).html)[3]
    before = AuditEvent.objects.count()
    assert sign_in(cast.developer).post("/me/login/code/", {"code": code}).url == "/"
    (event,) = AuditEvent.objects.filter(number__gt=before)
    assert (event.action, event.detail["methods"]) == ("sign_in", ["password", "recovery_codes"])
    assert code not in json.dumps(event.detail)
    assert "was used before" in Page(sign_in(cast.developer).post("/me/login/code/", {"code": code})).text
    assert "9 left" in Page(client.get("/me/sign-in/")).text


def test_new_recovery_codes_replace_the_old_ones(cast: Cast) -> None:
    client = confirmed(cast.developer)
    set_up_app(client)
    old = re.findall(r"<li>(\d{10})</li>", Page(client.get("/me/sign-in/codes/")).html)
    assert client.post("/me/sign-in/codes/new/").url == "/me/sign-in/codes/"
    new = re.findall(r"<li>(\d{10})</li>", Page(client.get("/me/sign-in/codes/")).html)
    assert not set(old) & set(new)
    assert "That code is wrong" in Page(sign_in(cast.developer).post("/me/login/code/", {"code": old[0]})).text
    assert actions() == ["add_authenticator_app", "make_recovery_codes"]


# Passkeys


def test_a_passkey_signs_in_without_the_password(cast: Cast) -> None:
    passkey = SoftPasskey()
    add_passkey(confirmed(cast.developer), passkey)
    assert actions() == ["add_passkey"]
    assert AuditEvent.objects.get(action="add_passkey").detail == {"what": "laptop"}
    client = here()
    assert passkey_login(client, passkey).url == "/"
    assert "Hello, dan" in Page(client.get("/")).text
    assert AuditEvent.objects.order_by("-number")[0].detail["methods"] == ["webauthn"]


def test_a_passkey_is_the_second_step_after_the_password(cast: Cast) -> None:
    passkey = SoftPasskey()
    add_passkey(confirmed(cast.developer), passkey)
    client = sign_in(cast.developer)
    options = options_in(Page(client.get("/me/login/code/")))
    assert client.post("/me/login/code/", {"credential": json.dumps(passkey.get(options))}).url == "/"


@pytest.mark.parametrize("attack", ["replayed", "another site", "another challenge", "another key", "not verified"])
def test_a_false_passkey_answer_signs_nobody_in(cast: Cast, attack: str) -> None:
    passkey = SoftPasskey()
    add_passkey(confirmed(cast.developer), passkey)
    client = here()
    options = client.get("/me/login/passkey/", headers={"accept": "application/json"}).json()["request_options"]
    if attack == "another site":
        passkey.origin = "https://evil.example"
    if attack == "another key":
        passkey.key = SoftPasskey().key
    passkey.verifies = attack != "not verified"
    answer = passkey.get(options)
    if attack == "replayed":
        assert client.post("/me/login/passkey/", {"credential": json.dumps(answer)}).url == "/"
        client.post("/me/logout/")
        client.get("/me/login/passkey/", headers={"accept": "application/json"})
    if attack == "another challenge":
        client.get("/me/login/passkey/", headers={"accept": "application/json"})
    assert client.post("/me/login/passkey/", {"credential": json.dumps(answer)}).url == "/me/login/"
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", '{"id": "x"}', '"text"', '{"response": {"userHandle": 1}}'])
def test_nonsense_in_place_of_a_passkey_is_refused(cast: Cast, sent: str) -> None:
    client = here()
    client.get("/me/login/passkey/", headers={"accept": "application/json"})
    assert client.post("/me/login/passkey/", {"credential": sent}).status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "sent", ["{}", "[]", '{"id": "x"}', '{"response": {}}', '{"rawId": "AA", "response": {"a": 1}}']
)
def test_nonsense_in_place_of_a_new_passkey_is_refused(cast: Cast, sent: str) -> None:
    client = confirmed(cast.developer)
    client.get("/me/sign-in/passkeys/new/")
    assert client.post("/me/sign-in/passkeys/new/", {"name": "x", "credential": sent}).status_code == 200
    assert not Authenticator.objects.exists()


def test_a_passkey_is_renamed_and_removed_by_its_owner_only(cast: Cast) -> None:
    owner, stranger = confirmed(cast.developer), confirmed(cast.lead)
    add_passkey(owner, SoftPasskey())
    pk = Authenticator.objects.get(user=cast.developer, type="webauthn").pk
    for verb in ("rename", "remove"):
        assert stranger.post(f"/me/sign-in/passkeys/{pk}/{verb}/", {"name": "mine"}).status_code == 404
    assert owner.post(f"/me/sign-in/passkeys/{pk}/rename/", {"name": "blue key"}).url == "/me/sign-in/"
    assert "blue key" in Page(owner.get("/me/sign-in/")).text
    assert owner.post(f"/me/sign-in/passkeys/{pk}/remove/").url == "/me/sign-in/"
    assert not Authenticator.objects.filter(user=cast.developer).exists()
    assert actions() == ["add_passkey", "rename_passkey", "remove_passkey"]


def test_an_address_without_a_name_says_why_there_are_no_passkeys(cast: Cast) -> None:
    client = Client(headers={"host": "127.0.0.1:8000"})
    sign_in(cast.developer, client)
    page = Page(client.get("/me/sign-in/"))
    assert "Browsers allow passkeys on HTTPS and a host name only" in page.text
    assert page.offers("http://localhost:8000/me/sign-in/")


# Who must have one


@pytest.mark.parametrize(
    ("required", "people"),
    [("none", set()), ("leads", {"admin", "lead"}), ("all", {"admin", "lead", "developer", "auditor"})],
)
def test_the_policy_leads_to_the_setup(
    cast: Cast, as_person: Callable[[User], Client], settings: Settings, required: str, people: set[str]
) -> None:
    settings.REQUIRE_SECOND_FACTOR = required
    for name in ("admin", "lead", "developer", "auditor"):
        answer = as_person(getattr(cast, name)).get("/repositories/")
        assert (answer.status_code == 302) == (name in people), name
        assert answer.status_code == 200 or answer.url == "/me/sign-in/"


def test_setting_one_up_opens_everything(cast: Cast, settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = "leads"
    client = confirmed(cast.lead)
    assert "Your role asks for a second factor" in Page(client.get("/", follow=True)).text
    set_up_app(client)
    assert client.get("/repositories/").status_code == 200


def test_docker_needs_an_api_token_in_place_of_the_password(cast: Cast, settings: Settings) -> None:
    settings.TOKEN_KEY = settings.TOKEN_CERTIFICATE = "present"
    set_up_app(confirmed(cast.developer))
    answer = Client().get("/token", {"service": "notary"}, headers={"Authorization": "Basic ZGFuOnB3"})
    assert answer.status_code == 401
    assert "API token" in answer.json()["errors"][0]["message"]


# Lost


def test_an_administrator_resets_a_lost_factor_and_the_person_is_told(
    cast: Cast,
    as_person: Callable[[User], Client],
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.SENDS_MAIL = True
    cast.developer.email = "dan@team.test"
    cast.developer.save()
    client = confirmed(cast.developer)
    set_up_app(client)
    with django_capture_on_commit_callbacks(execute=True):
        answer = as_person(cast.admin).post(f"/people/{cast.developer.pk}/second-factor/")
    assert answer.status_code == 302
    assert client.get("/").status_code == 302  # signed out
    again = Page(sign_in(cast.developer).get("/"))
    assert "root reset your second factor on" in again.text
    assert "root reset your second factor on" not in Page(sign_in(cast.developer).get("/")).text
    event = AuditEvent.objects.get(action="reset_second_factor")
    assert (event.actor, event.subject) == (cast.admin, "dan")
    assert event.detail["before"] == {"second_factors": ["recovery_codes", "totp"]}
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["dan@team.test"], "Your second factor was reset")


def test_only_an_administrator_resets_and_never_the_own(cast: Cast, as_person: Callable[[User], Client]) -> None:
    set_up_app(confirmed(cast.developer))
    for user in (cast.lead, cast.auditor, cast.developer):
        assert as_person(user).post(f"/people/{cast.developer.pk}/second-factor/").status_code in (403, 404)
    assert as_person(cast.admin).post(f"/people/{cast.admin.pk}/second-factor/").status_code == 409
    assert Authenticator.objects.filter(user=cast.developer).count() == 2
