"""The two pages that move repositories: who sees them, what they say, what they start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from signing.models import Operation, TrustServer, User
from signing.selectors import trust_server_tables
from tests.factories import Cast, make_key

As = Callable[[User], Client]
PAGES = ("trust_server_import", "trust_server_export")


@pytest.fixture
def builtin(cast: Cast) -> TrustServer:
    return TrustServer.objects.create(name="builtin", url="https://127.0.0.1:4443", is_builtin=True)


def test_administrators_start_an_import(cast: Cast, builtin: TrustServer, as_person: As) -> None:
    root = make_key(cast.account, "root")
    client, address = as_person(cast.admin), reverse("trust_server_import", args=[builtin.name])
    page = client.get(address + "?gun=registry.test/team/app").content.decode()
    assert root.key_id[:12] in page
    assert "registry.test/team/app</textarea>" in page
    assert ">builtin</option>" not in page

    form = {"source": "notary", "guns": "registry.test/a/b\r\nregistry.test/a/c", "way": "root"}
    form |= {"root_key": root.key_id, "root_passphrase": "correct horse battery"}
    answer = client.post(address, form)
    operation = Operation.objects.get()
    assert answer.headers["Location"] == operation.get_absolute_url()
    assert operation.parameters["guns"] == ["registry.test/a/b", "registry.test/a/c"]
    shown = client.get(operation.get_absolute_url()).content.decode()
    assert "Import repositories" in shown
    assert "Copy and verify" in shown


def test_what_is_refused_stands_on_the_page_without_the_secrets(
    cast: Cast, builtin: TrustServer, as_person: As
) -> None:
    form = {"source": "notary", "guns": "registry.test/a/b", "way": "signer"}
    form |= {"signer_database": "mysql://root:hunter2@db", "signer_passphrase": "hunter3"}
    answer = as_person(cast.admin).post(reverse("trust_server_import", args=[builtin.name]), form)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "For a signer on MySQL, import with a root key" in page
    assert "hunter" not in page
    assert not Operation.objects.exists()


def test_administrators_start_an_export(cast: Cast, builtin: TrustServer, as_person: As) -> None:
    address = reverse("trust_server_export", args=[builtin.name])
    form = {"guns": "registry.test/a/b", "server_database": "postgres://db/a", "signer_database": "postgres://db/b"}
    answer = as_person(cast.admin).post(address, form | {"signer_alias": "a", "signer_passphrase": "words"})
    assert answer.headers["Location"] == Operation.objects.get(kind="export_trust").get_absolute_url()


@pytest.mark.parametrize("page", PAGES)
def test_nobody_else_moves_repositories(cast: Cast, builtin: TrustServer, as_person: As, page: str) -> None:
    address = reverse(page, args=[builtin.name])
    cast.account.trust_server = builtin
    cast.account.save()
    for person, status in ((cast.lead, 403), (cast.auditor, 403), (cast.outsider, 404)):
        assert as_person(person).get(address).status_code == status
        assert as_person(person).post(address, {}).status_code == status
    assert as_person(cast.admin).get(reverse(page, args=["notary"])).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_with_data_elsewhere_it_says_where_to_go(
    cast: Cast, builtin: TrustServer, as_person: As, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust_server_tables, "are_here", lambda: False)
    shown = as_person(cast.admin).get(reverse(page, args=[builtin.name])).content.decode()
    assert "another database than the dashboard" in shown
    assert "manage.py" in shown
    assert "<textarea" not in shown


def test_without_another_server_it_says_what_comes_first(cast: Cast, builtin: TrustServer, as_person: As) -> None:
    TrustServer.objects.filter(is_builtin=False).update(is_builtin=True)
    shown = as_person(cast.admin).get(reverse("trust_server_import", args=[builtin.name])).content.decode()
    assert reverse("trust_server_new") in shown


def test_the_page_of_what_is_stored_leads_there(cast: Cast, builtin: TrustServer, as_person: As) -> None:
    shown = as_person(cast.admin).get(reverse("trust_server_contents", args=[builtin.name])).content.decode()
    for page in PAGES:
        assert reverse(page, args=[builtin.name]) in shown
