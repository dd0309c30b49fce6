"""Sign-in through an OpenID Connect provider that answers over HTTP, and what becomes of people who leave it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from signing.models import AuditEvent, ChangeRequest, Identity, User
from tests.factories import Cast, make_cast
from tests.parts.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

GO, CONFIRM = "/me/login/with/oidc/", "/me/confirm/?next=/me/sign-in/"


@pytest.fixture
def cast(db: None) -> Cast:
    made = make_cast()
    made.signer.email = "alice@team.test"
    made.signer.save()
    return made


@pytest.fixture
def provider(request: pytest.FixtureRequest, settings: Settings) -> Iterator[OidcProvider]:
    cache.clear()
    started = OidcProvider(getattr(request, "param", "RS256")).start()
    settings.OIDC_URL = started.url
    settings.OIDC_NAME = "Our sign-in"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "SCOPE": ["openid", "email", "offline_access"],
            "APP": {
                "provider_id": "oidc",
                "name": "Our sign-in",
                "client_id": CLIENT_ID,
                "secret": CLIENT_SECRET,
                "settings": {"server_url": started.url},
            },
        }
    }
    try:
        yield started
    finally:
        started.stop()


def go(client: Client) -> str:
    """Press the button, and follow to where the provider sends the browser back."""
    page = client.post(GO)
    assert page.status_code == 200, page.content
    leads_to = page.context["url"]
    return httpx.get(leads_to, trust_env=False).headers["Location"]


def sign_in(client: Client | None = None) -> HttpResponse:
    client = client or Client()
    back = urlsplit(go(client))
    return client.get(f"{back.path}?{back.query}")


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("number").values_list("action", flat=True))


# Who somebody is here


@pytest.mark.parametrize("provider", ["RS256", "ES256"], indirect=True)
def test_a_person_is_found_by_the_verified_address_and_from_then_on_by_the_subject(
    cast: Cast, provider: OidcProvider
) -> None:
    somebody = provider.add("s-1", email="Alice@team.test")
    client = Client()
    assert sign_in(client).url == "/"
    assert "Hello, alice" in client.get("/").content.decode()
    assert actions() == ["link_identity", "sign_in"]
    assert AuditEvent.objects.latest("number").detail["methods"] == ["socialaccount"]
    somebody.email = "other@team.test"
    again = Client()
    assert sign_in(again).url == "/"
    assert "Hello, alice" in again.get("/").content.decode()
    assert User.objects.get(username="alice").check_password("pw")  # it stays another way in


def test_an_address_that_is_not_verified_opens_nothing(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test", email_verified=False)
    assert sign_in().status_code == 403
    assert actions() == []


def test_nobody_is_made_unless_that_is_asked_for(cast: Cast, provider: OidcProvider, settings: Settings) -> None:
    provider.add("s-2", email="new@team.test", name="Nora New", preferred_username="nora", groups=["x"])
    refused = sign_in()
    assert refused.status_code == 403
    assert "Ask an administrator to add you" in refused.content.decode()
    assert not User.objects.filter(username="nora").exists()
    settings.OIDC_CREATES_PEOPLE = True
    assert sign_in().url == "/"
    made = User.objects.get(username="nora")
    assert (str(made), made.email, made.has_usable_password()) == ("Nora New", "new@team.test", False)
    assert actions() == ["create_person", "sign_in"]


def test_two_people_never_become_one_by_their_names(cast: Cast, provider: OidcProvider, settings: Settings) -> None:
    settings.OIDC_CREATES_PEOPLE = True
    provider.add("s-3", preferred_username="ALICE")
    assert sign_in().url == "/"
    assert Identity.objects.get(subject="s-3").user.username == "ALICE2"


@pytest.mark.parametrize("standing", ["is_superuser", "reads_everything", "is_machine"])
def test_an_address_alone_never_opens_a_privileged_account(cast: Cast, provider: OidcProvider, standing: str) -> None:
    setattr(cast.signer, standing, True)
    cast.signer.save()
    provider.add("s-1", email="alice@team.test")
    assert sign_in().status_code == 403
    assert not Identity.objects.exists()


def test_an_administrator_links_it_while_signed_in(cast: Cast, provider: OidcProvider) -> None:
    provider.add("boss", email="")
    client = Client()
    client.post("/me/login/", {"login": "root", "password": "pw"})
    assert client.post(GO).url.startswith("/me/confirm/")  # first the password once more
    client.post(CONFIRM, {"password": "pw"})
    assert sign_in(client).url == "/me/sign-in/"
    other = Client()
    assert sign_in(other).url == "/"
    assert "Hello, root" in other.get("/").content.decode()
    assert actions() == ["sign_in", "link_identity", "sign_in"]


def test_what_is_linked_to_one_person_is_not_linked_to_another(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    sign_in()
    client = Client()
    client.post("/me/login/", {"login": "root", "password": "pw"})
    client.post(CONFIRM, {"password": "pw"})
    assert sign_in(client).status_code == 403
    assert Identity.objects.get().user == cast.signer


def test_the_session_gets_another_id(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    client = Client()
    back = urlsplit(go(client))
    planted = client.cookies["trustui_session"].value
    client.get(f"{back.path}?{back.query}")
    assert client.cookies["trustui_session"].value != planted


# What it must not believe


def _wrong_key(provider: OidcProvider) -> None:
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize(
    "flaw",
    [
        _wrong_key,
        lambda provider: provider.lies.update(aud="another-client"),
        lambda provider: provider.lies.update(iss="https://evil.example"),
        lambda provider: provider.lies.update(exp=1),
        lambda provider: provider.lies.update(sub="s-9"),
        lambda provider: setattr(provider, "userinfo_sub", "s-9"),
        lambda provider: setattr(provider, "gives_id_token", False),
    ],
    ids=["key", "audience", "issuer", "expired", "subject", "userinfo", "no id_token"],
)
def test_a_false_answer_signs_nobody_in(
    cast: Cast, provider: OidcProvider, flaw: Callable[[OidcProvider], Any]
) -> None:
    provider.add("s-1", email="alice@team.test")
    flaw(provider)
    client = Client()
    assert sign_in(client).status_code == 401
    assert client.get("/").status_code == 302
    assert actions() == []


def test_an_answer_of_somebody_elses_browser_is_refused(cast: Cast, provider: OidcProvider) -> None:
    """Else a link could sign a victim in as the attacker."""
    provider.add("s-1", email="alice@team.test")
    back = urlsplit(go(Client()))
    victim = Client()
    assert victim.get(f"{back.path}?{back.query}").status_code == 401
    assert victim.get("/").status_code == 302


def test_an_answer_counts_once(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    client = Client()
    back = urlsplit(go(client))
    assert client.get(f"{back.path}?{back.query}").url == "/"
    client.post("/me/logout/")
    assert client.get(f"{back.path}?{back.query}").status_code == 401


def test_a_broken_provider_is_said_to_be_one(cast: Cast, provider: OidcProvider) -> None:
    provider.is_broken = True
    answer = Client().post(GO)
    assert answer.status_code == 401
    assert "did not answer as it should" in answer.content.decode()


# Groups


def test_groups_give_and_take_roles_in_the_accounts_that_are_named(
    cast: Cast, provider: OidcProvider, settings: Settings
) -> None:
    settings.GROUP_ROLES = {"release": {"team": "lead"}, "staff": {"team": "developer"}}
    somebody = provider.add("s-1", email="alice@team.test", groups=["staff", "release", "unheard-of"])
    sign_in()
    membership = cast.signer.memberships.get(account=cast.account)
    assert membership.role == "lead"
    somebody.groups = []
    call_command("sync_people")
    assert not cast.signer.memberships.filter(account=cast.account).exists()
    changes = [event for event in AuditEvent.objects.order_by("number") if event.action.endswith("_member")]
    assert [(event.action, event.detail["before"], event.detail["after"]) for event in changes] == [
        ("set_member", "signer", "lead"),
        ("remove_member", "lead", None),
    ]


# Leavers


@pytest.mark.parametrize("provider", ["RS256", "ES256"], indirect=True)
def test_who_leaves_is_out_flagged_and_their_removal_is_asked_for(cast: Cast, provider: OidcProvider) -> None:
    somebody = provider.add("s-1", email="alice@team.test")
    client = Client()
    sign_in(client)
    call_command("sync_people")
    assert client.get("/").status_code == 200
    somebody.is_disabled = True
    call_command("sync_people")
    assert client.get("/").status_code == 302
    cast.signer.refresh_from_db()
    cast.alice.refresh_from_db()
    assert not cast.signer.is_active
    assert cast.alice.flag == "alice left: unknown to OIDC."
    asked = ChangeRequest.objects.get(kind=ChangeRequest.Kind.REMOVE_SIGNER)
    assert (asked.requested_by, asked.signer, asked.state) == (None, cast.alice, "waiting")
    assert [item.repository for item in asked.items.all()] == [cast.repository]
    assert actions()[2:] == ["request_signer_removal", "deactivate_person"]
    assert AuditEvent.objects.latest("number").detail["flagged_signers"] == ["team/alice"]
    call_command("sync_people")
    assert len(actions()) == 4  # once


def test_who_comes_back_signs_in_again(cast: Cast, provider: OidcProvider) -> None:
    somebody = provider.add("s-1", email="alice@team.test")
    sign_in()
    somebody.is_disabled = True
    call_command("sync_people")
    somebody.is_disabled = False
    assert sign_in().url == "/"
    cast.signer.refresh_from_db()
    assert cast.signer.is_active
    assert actions()[-2:] == ["activate_person", "sign_in"]


def test_whom_an_administrator_deactivated_stays_out(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    sign_in()
    admin = Client()
    admin.force_login(cast.admin)
    admin.post(f"/people/{cast.signer.pk}/deactivate/")
    assert sign_in().status_code == 403
    cast.signer.refresh_from_db()
    assert not cast.signer.is_active


def test_a_provider_that_does_not_answer_shuts_nobody_out(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    client = Client()
    sign_in(client)
    provider.is_broken = True
    call_command("sync_people")
    assert client.get("/").status_code == 200


def test_a_provider_that_knows_nobody_any_more_shuts_nobody_out(
    cast: Cast, provider: OidcProvider, settings: Settings
) -> None:
    settings.OIDC_CREATES_PEOPLE = True
    for number in range(6):
        provider.add(f"p-{number}", preferred_username=f"person{number}")
        sign_in()
    provider.people.clear()
    call_command("sync_people")
    assert not Identity.objects.exclude(gone_at=None).exists()


def test_the_token_to_ask_again_is_locked_in_the_database(cast: Cast, provider: OidcProvider) -> None:
    provider.add("s-1", email="alice@team.test")
    sign_in()
    kept = Identity.objects.get().locked_token
    assert kept
    assert not any(token in kept for token in provider.refresh)
