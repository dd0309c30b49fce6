"""Keys: made, imported, enrolled, certified; the private half never shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from signing.models import Key, Operation, User
from signing.trust.keystore.base import PrivateKey
from tests.factories import PASSPHRASE, Cast, make_key, make_signer

from .reading import Page

URL = "/new/key/?account=team"


def test_a_signer_has_a_key_made(cast: Cast, as_person: Callable[[User], Client]) -> None:
    sent = {"purpose": "signer", "name": "build", "passphrase": PASSPHRASE, "passphrase_again": PASSPHRASE}
    response = as_person(cast.signer).post(URL, sent)
    operation = Operation.objects.get()
    assert response.url == operation.get_absolute_url()
    assert operation.parameters == {"purpose": "signer", "name": "build", "unattended": False}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"passphrase_again": "something else"}, "The two passphrases differ."),
        ({"passphrase": "short", "passphrase_again": "short"}, "at least 8 characters"),
        ({"name": ""}, "needs the signer's name"),
        ({"name": "Not A Name"}, "is no name for a signer"),
        ({"purpose": "root"}, "not one of the available choices"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(
    cast: Cast, as_person: Callable[[User], Client], change: dict[str, str], says: str
) -> None:
    sent = {"purpose": "signer", "name": "build", "passphrase": PASSPHRASE, "passphrase_again": PASSPHRASE}
    response = as_person(cast.signer).post(URL, sent | change)
    page = Page(response)
    assert response.status_code == 400
    assert says in page.text
    assert all("value" not in field for field in page.all("input", type="password"))
    assert PASSPHRASE not in page.html
    assert not Operation.objects.exists()


def test_only_a_lead_is_offered_the_root_key(cast: Cast, as_person: Callable[[User], Client]) -> None:
    assert Page(as_person(cast.lead).get(URL)).all("option", value="root")
    assert not Page(as_person(cast.signer).get(URL)).all("option", value="root")


def test_a_link_to_the_root_key_asks_for_no_name_and_says_what_unattended_means(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    page = Page(client.get(URL + "&purpose=root"))
    assert page.field("purpose")["type"] == page.field("name")["type"] == "hidden"
    assert "who takes over that worker can name signers for every repository" in page.text
    sent = {"purpose": "root", "name": "lea", "passphrase": PASSPHRASE, "passphrase_again": PASSPHRASE}
    client.post(URL + "&purpose=root", sent | {"unattended": "on"})
    assert Operation.objects.get().parameters == {"purpose": "root", "name": "root", "unattended": True}


def test_a_signer_is_not_led_to_a_root_key(cast: Cast, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.signer).get(URL + "&purpose=root"))
    assert not page.all("option", value="root")
    assert page.all("input", name="name", type="text")


def test_a_key_file_is_imported_without_ever_showing_again(cast: Cast, as_person: Callable[[User], Client]) -> None:
    pem = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n"
    sent = {"purpose": "signer", "name": "old", "passphrase": PASSPHRASE}
    client = as_person(cast.signer)
    refused = client.post("/new/key/import/?account=team", sent | {"pem": pem.decode(), "name": "Bad Name"})
    assert refused.status_code == 400
    response = client.post("/new/key/import/?account=team", sent | {"pem_file": SimpleUploadedFile("a.key", pem)})
    assert response.url == Operation.objects.get(kind="import_key").get_absolute_url()
    assert "QUJD" not in client.get(response.url).content.decode()


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"A" * 70_000])
def test_a_file_that_is_no_key_is_refused(cast: Cast, as_person: Callable[[User], Client], data: bytes) -> None:
    sent = {"purpose": "signer", "name": "old", "passphrase": PASSPHRASE}
    response = as_person(cast.signer).post(
        "/new/key/import/?account=team", sent | {"pem_file": SimpleUploadedFile("a.key", data)}
    )
    assert response.status_code == 400
    assert "That file is" in Page(response).text


def test_a_public_half_is_enrolled_and_held_by_its_owner(cast: Cast, as_person: Callable[[User], Client]) -> None:
    public = PrivateKey.generate().public
    client = as_person(cast.signer)
    response = client.post("/new/key/enrol/?account=team", {"name": "laptop", "pem": public.to_pem()})
    key = Key.objects.get(name="laptop")
    assert response.url == key.get_absolute_url()
    assert (key.key_id, key.custody) == (public.canonical_id, Key.Custody.CLIENT)
    assert "Held by its owner" in Page(client.get(response.url)).text


def test_the_list_shows_the_custody_of_every_key(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_key(cast.account, "root")
    page = Page(as_person(cast.auditor).get("/keys/"))
    assert page.text.count("Sealed on this server") == 2
    only = Page(as_person(cast.auditor).get("/keys/?purpose=root"))
    assert not only.offers(cast.alice.key.get_absolute_url())


def test_a_certificate_request_takes_the_passphrase_of_a_key_that_asks(
    cast: Cast, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.signer)
    url = f"/keys/{cast.alice.key.key_id}/csr/"
    assert client.post(url).status_code == 400
    response = client.post(url, {"passphrase": PASSPHRASE})
    assert response.url == Operation.objects.get(kind="make_csr").get_absolute_url()


def test_a_bare_key_is_no_certificate(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.signer).post(
        f"/keys/{cast.alice.key.key_id}/certificate/", {"pem": cast.alice.key.public_pem}
    )
    assert response.status_code == 400
    assert "That is a bare public key, not a certificate." in Page(response).text


def test_someone_elses_key_offers_no_certificate_form(cast: Cast, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.developer).get(cast.alice.key.get_absolute_url()))
    assert not page.offers(f"/keys/{cast.alice.key.key_id}/csr/")
    response = as_person(cast.developer).post(f"/keys/{cast.alice.key.key_id}/csr/", {"passphrase": PASSPHRASE})
    assert response.status_code == 403


def test_public_parts_are_downloaded_as_files(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    response = client.get(f"/keys/{cast.alice.key.key_id}/public.pem")
    assert response.content.decode() == cast.alice.key.public_pem
    assert response["Content-Disposition"] == 'attachment; filename="alice.pub"'
    assert client.get(f"/keys/{cast.alice.key.key_id}/csr.pem").status_code == 404
    assert client.get(f"/keys/{cast.alice.key.key_id}/private.pem").status_code == 404


def test_a_machines_key_is_marked_as_unattended(cast: Cast, as_person: Callable[[User], Client]) -> None:
    machine = make_signer(cast.account, "ci", is_unattended=True)
    assert "Unattended" in Page(as_person(cast.lead).get(machine.key.get_absolute_url())).text
