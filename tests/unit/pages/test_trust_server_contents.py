"""What lies on the built-in server: seen by administrators, read without the server's own code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from signing.models import User
from signing.selectors import trust_server_tables
from signing.server.models import Change, Collection, MetadataFile
from tests.factories import Cast

ORIGINALS = {
    trust_server_tables.StoredRepository: Collection,
    trust_server_tables.StoredVersion: MetadataFile,
    trust_server_tables.StoredChange: Change,
}
As = Callable[[User], Client]


@pytest.fixture
def address(cast: Cast) -> str:
    server = cast.account.trust_server
    server.is_builtin = True
    server.save()
    return reverse("trust_server_contents", args=[server.name])


@pytest.fixture
def stored(cast: Cast) -> str:
    gun = cast.repository.gun
    Collection.objects.create(gun=gun)
    Collection.objects.create(gun="elsewhere.test/unknown")
    for role, versions, size in (("root", 1, 1500), ("targets/alice", 3, 100)):
        for version in range(1, versions + 1):
            MetadataFile.objects.create(
                gun=gun, role=role, version=version, data=b"x" * size, created_at=timezone.now()
            )
    Change.objects.create(gun=gun, version=7, sha256="ab" * 32, category="update", created_at=timezone.now())
    return gun


@pytest.mark.parametrize("copy", ORIGINALS, ids=lambda copy: copy.__name__)
def test_what_the_page_reads_is_what_the_server_writes(copy: type) -> None:
    original = ORIGINALS[copy]
    assert copy._meta.db_table == original._meta.db_table
    columns = {field.column: field.get_internal_type() for field in original._meta.concrete_fields}
    assert {field.column: field.get_internal_type() for field in copy._meta.concrete_fields}.items() <= columns.items()


def test_no_private_key_is_among_it() -> None:
    tables = {model._meta.db_table for model in ORIGINALS}
    assert "trust_server_onlinekey" not in tables


def test_an_administrator_sees_every_repository(cast: Cast, as_person: As, address: str, stored: str) -> None:
    html = as_person(cast.admin).get(address).content.decode()
    for text in ("elsewhere.test", "1.8 kB", cast.account.name, "version 7"):
        assert text in html, text


def test_search(cast: Cast, as_person: As, address: str, stored: str) -> None:
    html = as_person(cast.admin).get(address, {"q": "elsewhere"}).content.decode()
    assert f"contents/{stored}/" not in html
    assert "contents/elsewhere.test/unknown/" in html


def test_one_repository_with_its_roles_and_who_may_push(cast: Cast, as_person: As, address: str, stored: str) -> None:
    html = as_person(cast.admin).get(f"{address}{stored}/").content.decode()
    assert "<code>targets/alice</code>" in html
    assert "3, from 1 on" in html
    assert "300 B" in html
    for person, may_push in ((cast.developer, True), (cast.auditor, False), (cast.outsider, False)):
        assert (person.username in html.split("May push")[1].split("</dd>")[0]) == may_push


@pytest.mark.parametrize("person", ["lead", "signer", "developer", "auditor"])
def test_others_do_not(cast: Cast, as_person: As, address: str, stored: str, person: str) -> None:
    client = as_person(getattr(cast, person))
    for url in (address, f"{address}{stored}/"):
        assert client.get(url).status_code == 403


def test_nothing_of_a_repository_is_no_page(cast: Cast, as_person: As, address: str) -> None:
    assert as_person(cast.admin).get(f"{address}a.test/nothing/").status_code == 404
    assert "Nothing stored yet" in as_person(cast.admin).get(address).content.decode()


def test_another_server_has_no_such_page(cast: Cast, as_person: As, address: str) -> None:
    server = cast.account.trust_server
    server.is_builtin = False
    server.save()
    assert as_person(cast.admin).get(address).status_code == 404


def test_tables_in_another_database_are_said_to_be_there(
    cast: Cast, as_person: As, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", lambda *_, **__: ["signing_user"])
    html = as_person(cast.admin).get(address).content.decode()
    assert "Its data lie elsewhere" in html
