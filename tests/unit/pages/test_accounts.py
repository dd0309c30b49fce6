"""Accounts and their login; trust servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import Account, TrustServer, User
from tests.factories import Cast, make_repository, make_user

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


def test_who_has_a_role_in_one_repository_sees_of_the_account_that_one_only(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    other = make_repository(cast.account, "secret")
    guest = make_user("guest")
    cast.account.memberships.create(user=guest, repository=cast.repository, role="developer")
    client = as_person(guest)
    page = Page(client.get("/accounts/team/"))
    assert cast.repository.gun in page.html
    assert other.gun not in page.html
    assert "lea" not in page.text.split()
    for url in (other.get_absolute_url(), f"/repository-members/{other.gun}/"):
        assert client.get(url).status_code == 404
    assert client.get("/accounts/team/members/").status_code == 403
