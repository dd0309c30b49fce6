"""API tokens and machine accounts, as people make them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from signing.models import ApiToken, AuditEvent, User
from signing.services.api_tokens import authenticate, create_token
from signing.services.machines import create_machine
from tests.factories import Cast

from .reading import Page

RAW = re.compile(r"trustui_[A-Za-z0-9_-]{43}")


def raw_on(response: Any) -> str:
    (raw,) = set(RAW.findall(Page(response).html))
    return str(raw)


@pytest.fixture
def machine(cast: Cast) -> User:
    return create_machine(actor=cast.lead, account=cast.account, username="ci", full_name="Build server")


def test_a_token_is_shown_in_the_answer_that_makes_it_and_nowhere_else(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.developer)
    sent = {"name": "laptop", "scopes": ["read", "request"], "days": "30"}
    response = client.post("/me/tokens/new/", sent)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    raw = raw_on(response)
    token = authenticate(raw)
    assert token is not None
    assert (token.user, token.scopes, token.name) == (cast.developer, ["read", "request"], "laptop")
    for url in ("/me/tokens/", "/audit/", "/"):
        assert raw not in client.get(url).content.decode()
    assert raw not in str(dict(client.session))
    assert token.prefix in Page(client.get("/me/tokens/")).text


def test_each_scope_comes_with_a_plain_sentence_and_a_machine_gets_two(
    cast: Cast, machine: User, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    mine = Page(client.get("/me/tokens/new/"))
    assert {box["value"] for box in mine.all("input", name="scopes")} == set(ApiToken.Scope.values)
    assert "somebody else decides" in mine.text
    theirs = Page(client.get(f"/machines/{machine.pk}/tokens/new/"))
    assert {box["value"] for box in theirs.all("input", name="scopes")} == {"read", "request"}


def test_a_token_may_be_for_named_repositories(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    sent = {"name": "laptop", "scopes": ["read"], "days": "7", "repositories": [cast.repository.gun]}
    client.post("/me/tokens/new/", sent)
    assert list(ApiToken.objects.get().repositories.all()) == [cast.repository]
    foreign = client.post("/me/tokens/new/", {**sent, "repositories": ["registry.test:5000/other/app"]})
    assert foreign.status_code == 400


def test_revoking_is_one_button(cast: Cast, as_person: Callable[[User], Client]) -> None:
    token, raw = create_token(actor=cast.developer, user=cast.developer, name="t", scopes=["read"], days=1)
    client = as_person(cast.developer)
    assert Page(client.get("/me/tokens/")).offers(f"/tokens/{token.pk}/revoke/")
    assert client.post(f"/tokens/{token.pk}/revoke/").url == "/me/tokens/"
    assert authenticate(raw) is None
    page = Page(client.get("/me/tokens/"))
    assert "Revoked" in page.text
    assert not page.offers(f"/tokens/{token.pk}/revoke/")
    assert client.post(f"/tokens/{token.pk}/revoke/").status_code == 409


def test_nobody_revokes_what_they_do_not_see(cast: Cast, as_person: Callable[[User], Client]) -> None:
    token, raw = create_token(actor=cast.developer, user=cast.developer, name="t", scopes=["read"], days=1)
    for person in (cast.lead, cast.outsider, cast.auditor):
        assert as_person(person).post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert authenticate(raw)
    admin = as_person(cast.admin)
    assert Page(admin.get(cast.developer.get_absolute_url())).offers(f"/tokens/{token.pk}/revoke/")
    assert admin.post(f"/tokens/{token.pk}/revoke/").url == cast.developer.get_absolute_url()
    assert authenticate(raw) is None


def test_a_lead_makes_a_machine_account_and_its_token(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    sent = {"username": "ci", "full_name": "Build server", "repositories": [cast.repository.gun]}
    made = client.post("/new/machine/", sent)
    machine = User.objects.get(username="ci")
    assert made.url == machine.get_absolute_url() == f"/machines/{machine.pk}/"
    assert "Without one it can do nothing" in Page(client.get(made.url)).text
    sent = {"name": "release", "scopes": ["request"], "days": "90", "repositories": [cast.repository.gun]}
    raw = raw_on(client.post(f"/machines/{machine.pk}/tokens/new/", sent))
    token = authenticate(raw)
    assert token is not None
    assert token.user == machine
    assert "release" in Page(client.get(made.url)).text
    assert client.post(f"/tokens/{token.pk}/revoke/").url == made.url
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {
        "create_machine",
        "create_token",
        "revoke_token",
    }


def test_a_machines_token_has_to_name_repositories(
    cast: Cast, machine: User, as_person: Callable[[User], Client]
) -> None:
    response = as_person(cast.lead).post(
        f"/machines/{machine.pk}/tokens/new/", {"name": "x", "scopes": ["request"], "days": "90"}
    )
    assert response.status_code == 400
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("person", ["developer", "auditor", "signer", "outsider"])
def test_others_see_no_machine_accounts(
    cast: Cast, machine: User, as_person: Callable[[User], Client], person: str
) -> None:
    client = as_person(getattr(cast, person))
    assert not Page(client.get("/machines/")).offers(machine.get_absolute_url())
    assert client.get(machine.get_absolute_url()).status_code == 404
    assert client.get(f"/machines/{machine.pk}/tokens/new/").status_code == 404


def test_an_auditor_of_the_installation_sees_machines_and_tokens_and_changes_none(
    cast: Cast, machine: User, as_person: Callable[[User], Client]
) -> None:
    User.objects.filter(pk=cast.auditor.pk).update(reads_everything=True)
    client = as_person(cast.auditor)
    page = Page(client.get(machine.get_absolute_url()))
    assert not page.offers(f"/machines/{machine.pk}/tokens/new/")
    assert client.post(f"/machines/{machine.pk}/tokens/new/", {"name": "x"}).status_code == 403
    assert client.post(f"/people/{machine.pk}/deactivate/").status_code == 403


def test_an_administrator_deactivates_a_machine(cast: Cast, machine: User, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.admin)
    assert client.post(f"/people/{machine.pk}/deactivate/").url == machine.get_absolute_url()
    assert "Deactivated" in Page(client.get(machine.get_absolute_url())).text
    assert client.get(f"/people/{machine.pk}/").status_code == 404
