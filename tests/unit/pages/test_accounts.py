"""Accounts, their people, their login; trust servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import Account, Membership, TrustServer, User
from tests.factories import Cast, make_user

from .reading import Page

SECRET = "hunter2-registry-token"


@pytest.fixture
def new_account(cast: Cast) -> dict[str, str]:
    return {
        "name": "shop",
        "registry": "registry.test:5000",
        "namespace": "shop",
        "trust_server": str(cast.account.trust_server.pk),
        "registry_username": "robot",
        "registry_password": SECRET,
        "enforces_trust": "on",
    }


def test_an_administrator_opens_an_account(
    cast: Cast, new_account: dict[str, str], as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.admin)
    response = client.post("/new/account/", new_account)
    account = Account.objects.get(name="shop")
    assert response.url == account.get_absolute_url()
    page = Page(client.get(response.url))
    assert "This account has no root key yet." in page.text
    assert "robot, password sealed to the Docker worker" in page.text
    assert SECRET.encode() not in bytes(account.registry_password)
    assert SECRET not in page.html


@pytest.mark.parametrize(
    ("change", "status"), [({"name": "team"}, 409), ({"registry": "no spaces"}, 400), ({"name": ""}, 400)]
)
def test_an_account_that_cannot_be_keeps_what_was_typed_but_no_secret(
    cast: Cast,
    new_account: dict[str, str],
    as_person: Callable[[User], Client],
    change: dict[str, str],
    status: int,
) -> None:
    response = as_person(cast.admin).post("/new/account/", new_account | change)
    page = Page(response)
    assert response.status_code == status
    assert page.field("namespace")["value"] == "shop"
    assert SECRET not in page.html


def test_a_lead_does_not_open_accounts(
    cast: Cast, new_account: dict[str, str], as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    assert not Page(client.get("/accounts/")).offers("/new/account/")
    assert client.post("/new/account/", new_account).status_code == 403
    assert not Account.objects.filter(name="shop").exists()


def test_an_empty_password_keeps_the_stored_one_and_a_tick_removes_it(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    Account.objects.filter(pk=cast.account.pk).update(registry_password=b"sealed")
    client = as_person(cast.lead)
    sent = {"trust_server": cast.account.trust_server.pk, "registry_username": "robot", "enforces_trust": "on"}
    client.post("/accounts/team/change/", sent)
    cast.account.refresh_from_db()
    assert (bytes(cast.account.registry_password), cast.account.registry_username) == (b"sealed", "robot")
    client.post("/accounts/team/change/", sent | {"forget_password": "on"})
    cast.account.refresh_from_db()
    assert bytes(cast.account.registry_password) == b""


def test_ending_enforcement_is_an_unticked_box(cast: Cast, as_person: Callable[[User], Client]) -> None:
    as_person(cast.lead).post("/accounts/team/change/", {"trust_server": cast.account.trust_server.pk})
    cast.account.refresh_from_db()
    assert not cast.account.enforces_trust


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
    response = as_person(cast.lead).post("/accounts/team/members/", {"user": "ghost", "role": "lead"})
    assert response.status_code == 400
    assert "There is no person with the user name ghost here." in Page(response).text


def test_a_deactivated_person_is_as_unknown_as_nobody(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_user("gone", is_active=False)
    response = as_person(cast.lead).post("/accounts/team/members/", {"user": "gone", "role": "lead"})
    assert "There is no person with the user name gone here." in Page(response).text


def test_no_page_of_a_lead_names_people_of_other_accounts(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    for url in ("/accounts/team/", "/new/signer/?account=team"):
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
    assert not Page(client.get("/accounts/team/")).offers("/accounts/team/members/")
    assert client.post("/accounts/team/members/", {"user": "dan", "role": "lead"}).status_code == 403
    assert client.post("/accounts/team/members/remove/", {"user": "lea"}).status_code == 403
    assert Membership.objects.get(user=cast.developer).role == "developer"


def test_leaving_the_own_account_ends_on_the_list(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.lead).post("/accounts/team/members/remove/", {"user": "lea"})
    assert response.url == "/accounts/"


def test_an_administrator_adds_and_changes_a_trust_server(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.admin)
    sent = {"name": "prod", "url": "https://notary.example.com", "username": "me", "password": SECRET}
    assert client.post("/new/trust-server/", sent).url == "/trust-servers/"
    server = TrustServer.objects.get(name="prod")
    before = bytes(server.password)
    assert SECRET.encode() not in before
    client.post("/trust-servers/prod/", {"url": "https://notary.example.com:4443", "username": "me"})
    server.refresh_from_db()
    assert (server.url, bytes(server.password)) == ("https://notary.example.com:4443", before)


@pytest.mark.parametrize("url", ["http://plain.example.com", "notary", "https://host/path"])
def test_a_trust_server_needs_an_https_address(cast: Cast, as_person: Callable[[User], Client], url: str) -> None:
    response = as_person(cast.admin).post("/new/trust-server/", {"name": "bad", "url": url})
    assert response.status_code == 400
    assert Page(response).field("url")["value"] == url


def test_a_member_reads_a_trust_server_and_gets_its_ca(cast: Cast, as_person: Callable[[User], Client]) -> None:
    TrustServer.objects.update(ca_pem="-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    client = as_person(cast.developer)
    page = Page(client.get("/trust-servers/notary/"))
    assert not page.all("input", name="url")
    assert client.get("/trust-servers/notary/ca.crt")["Content-Disposition"].endswith('"notary-ca.crt"')
    assert client.post("/trust-servers/notary/", {"url": "https://evil.example"}).status_code == 403
