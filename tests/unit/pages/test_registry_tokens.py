"""Tokens for trust servers: what each person gets, and that what is issued lets in exactly there."""

from __future__ import annotations

import base64
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from time_machine import TimeMachineFixture

from signing.models import AuditEvent, Membership, User
from signing.selectors.registry_tokens import people_who_may_push
from signing.server.tokens import Grants, TokenVerifier, read_bundle
from signing.services.api_tokens import create_token, revoke_token
from tests.factories import Cast, make_account, make_repository, make_user

PASSWORD = "pw"


@pytest.fixture
def verifier(settings: Settings, tmp_path: Path) -> TokenVerifier:
    """Give what a trust server checks with; the dashboard has the other half."""
    call_command("make_token_issuer", str(tmp_path), stdout=StringIO())
    certificate = (tmp_path / "token-issuer.pem").read_bytes()
    settings.TOKEN_KEY = (tmp_path / "token-issuer-key.pem").read_text()
    settings.TOKEN_CERTIFICATE = certificate.decode()
    return TokenVerifier("trustui", "notary", read_bundle(certificate))


@pytest.fixture(autouse=True)
def no_attempts_yet() -> None:
    cache.clear()


def ask(client: Client, user: User | str | None, *scopes: str, password: str = PASSWORD, **query: str) -> HttpResponse:
    headers = {}
    if user is not None:
        name = user if isinstance(user, str) else user.username
        headers["Authorization"] = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
    return client.get("/token", {"service": "notary", "scope": scopes, **query}, headers=headers)


def granted(verifier: TokenVerifier, answer: HttpResponse) -> Grants:
    assert answer.status_code == 200, answer.content
    return verifier.verify(answer.json()["token"], timezone.now())


@pytest.mark.parametrize(
    ("person", "actions"),
    [
        ("admin", {"pull", "push", "*"}),
        ("lead", {"pull", "push", "*"}),
        ("signer", {"pull", "push"}),
        ("developer", {"pull", "push"}),
        ("auditor", {"pull"}),
        ("outsider", set()),
    ],
)
def test_what_each_role_gets(
    client: Client, cast: Cast, verifier: TokenVerifier, person: str, actions: set[str]
) -> None:
    user = getattr(cast, person)
    gun = cast.repository.gun
    answer = ask(client, user, f"repository:{gun}:pull,push,*")
    grants = granted(verifier, answer)
    assert grants.actions.get(("repository", gun), frozenset()) == actions
    assert grants.subject == user.username
    assert answer.json()["expires_in"] == 300
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    pushers = set(people_who_may_push(cast.repository.gun).values_list("username", flat=True))
    assert (user.username in pushers) == ("push" in actions)


def test_nobody_in_particular_gets_a_token_that_grants_nothing(client: Client, cast: Cast, verifier: Any) -> None:
    grants = granted(verifier, ask(client, None, f"repository:{cast.repository.gun}:pull"))
    assert (grants.subject, grants.actions) == ("", {})


def test_a_session_is_nobody_in_particular(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    """Else any page could fetch a signed-in person's token."""
    client.force_login(cast.admin)
    assert granted(verifier, ask(client, None, f"repository:{cast.repository.gun}:pull")).actions == {}


def test_only_what_lies_in_the_namespace(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    registry, namespace = cast.account.registry, cast.account.namespace
    inside = f"repository:{registry}/{namespace}/not-yet-there:push"
    outside = [f"repository:{registry}/{namespace}er/app:push", f"repository:other/{namespace}/app:push"]
    grants = granted(verifier, ask(client, cast.lead, inside, *outside))
    assert list(grants.actions) == [("repository", f"{registry}/{namespace}/not-yet-there")]


def test_a_nested_namespace_is_its_own(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    make_account("secret", registry=cast.account.registry, namespace=f"{cast.account.namespace}/secret")
    gun = f"{cast.account.registry}/{cast.account.namespace}/secret/app"
    assert granted(verifier, ask(client, cast.lead, f"repository:{gun}:pull")).actions == {}


def test_the_catalog_is_for_administrators(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    for user, actions in ((cast.lead, {}), (cast.admin, {("registry", "catalog"): frozenset("*")})):
        assert granted(verifier, ask(client, user, "registry:catalog:*")).actions == actions


def test_several_scopes_in_one_parameter_or_many(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    gun = cast.repository.gun
    for scopes in ([f"repository:{gun}:pull registry:catalog:*"], [f"repository:{gun}:pull", "registry:catalog:*"]):
        assert len(granted(verifier, ask(client, cast.admin, *scopes)).actions) == 2


# Refusals


def test_wrong_passwords_are_refused_and_leave_no_trace(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    for user, password in ((cast.lead, "wrong"), ("nobody", PASSWORD), (cast.lead, ""), ("a\0b", PASSWORD)):
        answer = ask(client, user, password=password)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Basic ")
        assert "token" not in answer.json()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic YWRtaW4=", "Bearer abc", "Basic //79"])
def test_other_credentials_are_refused(client: Client, cast: Cast, verifier: TokenVerifier, header: str) -> None:
    answer = client.get("/token", {"service": "notary"}, headers={"Authorization": header})
    assert answer.status_code == 401


def test_who_left_gets_none(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    cast.lead.is_active = False
    cast.lead.save()
    assert ask(client, cast.lead).status_code == 401


def test_a_one_time_password_is_for_the_dashboard_only(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    answer = ask(client, make_user("new", must_change_password=True))
    assert answer.status_code == 401
    assert "one-time password" in answer.json()["errors"][0]["message"]


def test_guessing_is_slowed_down_as_on_the_sign_in_page(
    client: Client, cast: Cast, verifier: TokenVerifier, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/5m/key"}
    for _ in range(3):
        assert ask(client, cast.lead, password="guess").status_code == 401
    assert ask(client, cast.lead).status_code == 429


@pytest.mark.parametrize(
    "query",
    [
        {"service": "registry"},
        {"service": ""},
        {"scope": "repository"},
        {"scope": "repository:a"},
        {"scope": 'repository:"a":pull'},
        {"scope": "repository:" + "a" * 600 + ":pull"},
        {"scope": " ".join(["repository:a:pull"] * 21)},
    ],
    ids=lambda query: str(query)[:40],
)
def test_what_cannot_be_read_is_refused(client: Client, cast: Cast, verifier: Any, query: dict[str, str]) -> None:
    assert ask(client, cast.lead, **query).status_code == 400


def test_without_a_key_there_is_no_such_address(client: Client, cast: Cast) -> None:
    assert ask(client, cast.lead).status_code == 404


# OAuth2's form


def post(client: Client, **form: str) -> HttpResponse:
    return client.post("/token", {"client_id": "docker", "service": "notary", **form})


def test_a_password_gets_a_token_and_on_request_a_refresh_token(
    client: Client, cast: Cast, verifier: TokenVerifier
) -> None:
    gun, password = cast.repository.gun, "a password no chance spells"
    cast.lead.set_password(password)
    cast.lead.save()
    form = {"grant_type": "password", "username": "lea", "password": password}
    answer = post(client, **form, scope=f"repository:{gun}:pull,push registry:catalog:*").json()
    assert set(answer) == {"access_token", "expires_in", "issued_at", "scope"}
    assert answer["scope"] == f"repository:{gun}:pull,push"
    assert verifier.verify(answer["access_token"], timezone.now()).subject == "lea"

    kept = post(client, **form, access_type="offline").json()["refresh_token"]
    assert password not in kept
    again = post(client, grant_type="refresh_token", refresh_token=kept, scope=f"repository:{gun}:*").json()
    assert again["scope"] == f"repository:{gun}:*"
    assert again["refresh_token"] == kept


def test_docker_login_is_given_a_refresh_token_to_keep(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    assert "refresh_token" not in ask(client, cast.lead).json()
    kept = ask(client, cast.lead, offline_token="true", client_id="docker").json()["refresh_token"]
    assert post(client, grant_type="refresh_token", refresh_token=kept).status_code == 200
    assert "refresh_token" not in ask(client, None, offline_token="true").json()


def test_a_refresh_token_ends_with_the_password_and_with_time(
    client: Client, cast: Cast, verifier: TokenVerifier, time_machine: TimeMachineFixture
) -> None:
    kept = ask(client, cast.lead, offline_token="true").json()["refresh_token"]

    def works() -> bool:
        answer = post(client, grant_type="refresh_token", refresh_token=kept)
        assert answer.status_code == 200 or answer.json()["error"] == "invalid_grant"
        return answer.status_code == 200

    assert works()
    User.objects.filter(pk=cast.lead.pk).update(is_active=False)
    assert not works()
    User.objects.filter(pk=cast.lead.pk).update(is_active=True)
    now = timezone.now()
    time_machine.move_to(now + timedelta(days=91))
    assert not works()
    time_machine.move_to(now)
    assert works()
    cast.lead.set_password("another password")
    cast.lead.save()
    assert not works()


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "lea"}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "lea", "password": "pw", "client_id": ""}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "lea", "password": "pw", "service": "other"}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "lea", "password": "wrong"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "made:up"}, 401, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "trustui_" + "a" * 43}, 401, "invalid_grant"),
    ],
)
def test_forms_that_get_nothing(
    client: Client, cast: Cast, verifier: Any, form: dict[str, str], status: int, error: str
) -> None:
    answer = post(client, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["errors"][0]["message"] == answer.json()["error_description"]
    assert "token" not in answer.json()


def test_passwords_in_forms_are_counted_too(
    client: Client, cast: Cast, verifier: TokenVerifier, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/5m/key"}
    form = {"grant_type": "password", "username": "lea"}
    for _ in range(3):
        assert post(client, **form, password="guess").status_code == 401
    assert post(client, **form, password=PASSWORD).status_code == 429


def test_other_methods_are_refused(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    assert client.put("/token").status_code == 405


# API tokens


@pytest.mark.parametrize(
    ("scopes", "actions"),
    [
        (["read"], {"pull"}),
        (["read", "publish"], {"pull", "push"}),
        (["read", "publish", "manage"], {"pull", "push", "*"}),
        (["request"], set()),
    ],
)
def test_an_api_token_bounds_what_it_gets(
    client: Client, cast: Cast, verifier: TokenVerifier, scopes: list[str], actions: set[str]
) -> None:
    _, raw = create_token(actor=cast.lead, user=cast.lead, name="ci", scopes=scopes, days=1)
    gun = cast.repository.gun
    for answer in (
        ask(client, "any name", f"repository:{gun}:pull,push,*", password=raw),
        post(client, grant_type="password", username="x", password=raw, scope=f"repository:{gun}:pull,push,*"),
        post(client, grant_type="refresh_token", refresh_token=raw, scope=f"repository:{gun}:pull,push,*"),
    ):
        grants = verifier.verify(answer.json()["access_token"], timezone.now())
        assert grants.subject == "lea"
        assert grants.actions.get(("repository", gun), frozenset()) == actions
    assert ask(client, cast.lead, f"repository:{gun}:*").json()["scope"] == f"repository:{gun}:*", "a password is not"


def test_an_api_token_gives_no_right_that_its_user_lacks(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    everything = ["read", "request", "publish", "approve", "manage"]
    _, raw = create_token(actor=cast.auditor, user=cast.auditor, name="ci", scopes=everything, days=1)
    gun = cast.repository.gun
    assert ask(client, "x", f"repository:{gun}:pull,push,*", password=raw).json()["scope"] == f"repository:{gun}:pull"


def test_an_api_token_for_named_repositories_opens_these_only(
    client: Client, cast: Cast, verifier: TokenVerifier
) -> None:
    other = make_repository(cast.account, "other")
    _, raw = create_token(
        actor=cast.lead, user=cast.lead, name="ci", scopes=["read", "publish"], repositories=[cast.repository], days=1
    )
    new = f"{cast.account.registry}/{cast.account.namespace}/not-yet-there"
    scopes = [f"repository:{gun}:pull,push" for gun in (cast.repository.gun, other.gun, new)]
    assert ask(client, "x", *scopes, password=raw).json()["scope"] == scopes[0]


def test_an_api_token_that_ended_gets_nothing(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    token, raw = create_token(actor=cast.lead, user=cast.lead, name="ci", scopes=["read"], days=1)
    assert ask(client, "x", password=raw).status_code == 200
    revoke_token(actor=cast.lead, token=token)
    answer = ask(client, "x", password=raw)
    assert answer.status_code == 401
    assert raw not in answer.content.decode()


# Roles in one repository


def test_a_role_in_one_repository_counts_there(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    guest = make_user("guest")
    here, other = cast.repository, make_repository(cast.account, "other")
    Membership.objects.create(account=cast.account, user=guest, role="developer", repository=here)
    scopes = [f"repository:{gun}:pull,push" for gun in (here.gun, other.gun)]
    assert ask(client, guest, *scopes).json()["scope"] == scopes[0]
    assert guest in people_who_may_push(here.gun)
    assert guest not in people_who_may_push(other.gun)

    Membership.objects.filter(user=guest).update(ends_at=timezone.now())
    assert ask(client, guest, *scopes).json()["scope"] == ""
    assert guest not in people_who_may_push(here.gun)


# The key


def test_a_certificate_of_another_key_is_noticed(
    client: Client, cast: Cast, verifier: TokenVerifier, settings: Settings, tmp_path: Path
) -> None:
    call_command("make_token_issuer", str(tmp_path / "other"), stdout=StringIO())
    settings.TOKEN_CERTIFICATE = (tmp_path / "other" / "token-issuer.pem").read_text()
    with pytest.raises(ImproperlyConfigured, match="another key"):
        ask(client, cast.lead)


def test_the_command_replaces_nothing_and_keeps_the_key_to_its_owner(verifier: TokenVerifier, tmp_path: Path) -> None:
    key = tmp_path / "token-issuer-key.pem"
    before = key.read_bytes()
    with pytest.raises(CommandError, match="Nothing was replaced"):
        call_command("make_token_issuer", str(tmp_path))
    assert key.read_bytes() == before
    assert key.stat().st_mode & 0o077 == 0
