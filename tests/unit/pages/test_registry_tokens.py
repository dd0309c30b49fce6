"""Tokens for trust servers: what each person gets, and that what is issued lets in exactly there."""

from __future__ import annotations

import base64
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

from signing.models import AuditEvent, User
from signing.selectors.registry_tokens import people_who_may_push
from signing.server.tokens import Grants, TokenVerifier, read_bundle
from tests.factories import Cast, make_account, make_user

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
    pushers = set(people_who_may_push(cast.account).values_list("username", flat=True))
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


def test_post_is_for_clients_that_then_ask_by_get(client: Client, cast: Cast, verifier: TokenVerifier) -> None:
    assert client.post("/token", {"grant_type": "refresh_token"}).status_code == 405


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
