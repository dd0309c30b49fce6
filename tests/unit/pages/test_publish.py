"""Publishing an image, signing a digest, pulling a tag."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import EngineStatus, Operation, SealedSecret, User
from tests.factories import DIGEST, PASSPHRASE, Cast, make_account, make_repository

from .reading import Page


@pytest.fixture
def url(cast: Cast) -> str:
    return f"/publish/{cast.repository.gun}/"


@pytest.fixture
def asked(cast: Cast) -> dict[str, str]:
    return {"source": "alpine:3.20", "tag": "1.0", "signer": str(cast.alice.pk), "passphrase": PASSPHRASE}


def test_the_form_offers_the_engines_images_and_the_persons_signers(
    cast: Cast, url: str, as_person: Callable[[User], Client]
) -> None:
    EngineStatus.objects.create(is_available=True, images=["alpine:3.20"])
    page = Page(as_person(cast.signer).get(url))
    assert page.all("option", value="alpine:3.20")
    assert page.all("option", value=str(cast.alice.pk))
    assert page.field("passphrase")["autocomplete"] == "off"
    assert "value" not in page.field("passphrase")


def test_publishing_queues_one_operation_and_leads_to_its_page(
    cast: Cast, url: str, asked: dict[str, str], as_person: Callable[[User], Client]
) -> None:
    response = as_person(cast.signer).post(url, asked)
    operation = Operation.objects.get()
    assert response.url == operation.get_absolute_url()
    assert operation.kind == Operation.Kind.PUBLISH
    assert operation.parameters["source"] == "alpine:3.20"
    assert operation.parameters["from_local"] is False
    assert PASSPHRASE not in str(operation.parameters)
    assert PASSPHRASE.encode() not in bytes(SealedSecret.objects.get().box)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "alpine"}, "names no tag"),
        ({"source": "team/UPPER:1"}, "UPPER"),
        ({"tag": "no spaces"}, "no spaces"),
        ({"passphrase": ""}, "passphrase"),
    ],
)
def test_bad_input_is_answered_where_it_was_typed(
    cast: Cast,
    url: str,
    asked: dict[str, str],
    as_person: Callable[[User], Client],
    change: dict[str, str],
    says: str,
) -> None:
    response = as_person(cast.signer).post(url, asked | change)
    page = Page(response)
    assert response.status_code == 400
    assert says in page.text + str(page.field("tag"))
    assert page.field("source")["value"] == (asked | change)["source"]
    assert PASSPHRASE not in page.html
    assert not Operation.objects.exists()


def test_without_an_approved_signer_the_page_shows_the_way(
    cast: Cast, url: str, as_person: Callable[[User], Client]
) -> None:
    page = Page(as_person(cast.developer).get(url))
    assert "You have no approved signer for this repository." in page.text
    assert not [tag for tag, a in page.tags if a.get("name") == "signer"]
    response = as_person(cast.developer).post(url, {"source": "alpine:3", "tag": "1", "signer": cast.alice.pk})
    assert response.status_code == 400
    assert not Operation.objects.exists()


def test_another_accounts_signer_is_unknown(
    cast: Cast, url: str, asked: dict[str, str], as_person: Callable[[User], Client]
) -> None:
    foreign = make_repository(make_account("third"))
    assert as_person(cast.signer).get(f"/publish/{foreign.gun}/").status_code == 404
    assert as_person(cast.signer).post(url, asked | {"signer": "99999"}).status_code == 400


def test_an_account_without_enforcement_may_skip_the_signature(
    cast: Cast, url: str, as_person: Callable[[User], Client]
) -> None:
    assert not [a for _, a in Page(as_person(cast.signer).get(url)).tags if a.get("name") == "sign"]
    cast.account.enforces_trust = False
    cast.account.save()
    client = as_person(cast.developer)
    assert Page(client.get(url)).field("sign")["type"] == "checkbox"
    client.post(url, {"source": "alpine:3.20", "tag": "1.0"})
    assert Operation.objects.get().parameters["sign"] is False


def test_the_page_says_when_the_engine_is_off(cast: Cast, url: str, as_person: Callable[[User], Client]) -> None:
    EngineStatus.objects.create(is_available=False, reason="Nothing listens on /var/run/docker.sock.")
    page = Page(as_person(cast.signer).get(url))
    assert "Nothing listens on /var/run/docker.sock." in page.text
    assert page.offers(f"/sign/{cast.repository.gun}/")


def test_a_digest_is_signed_without_an_engine(cast: Cast, as_person: Callable[[User], Client]) -> None:
    sent = {
        "tag": "2.0",
        "digest": f"sha256:{DIGEST}",
        "length": "528",
        "signer": str(cast.alice.pk),
        "passphrase": PASSPHRASE,
    }
    client = as_person(cast.signer)
    assert client.post(f"/sign/{cast.repository.gun}/", sent | {"digest": "sha256:12"}).status_code == 400
    response = client.post(f"/sign/{cast.repository.gun}/", sent)
    operation = Operation.objects.get()
    assert response.url == operation.get_absolute_url()
    assert (operation.kind, operation.parameters["length"]) == (Operation.Kind.SIGN, 528)


def test_a_verified_tag_is_pulled_with_one_button(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.developer).post(f"/pull/{cast.repository.gun}:1.0/")
    assert response.url == Operation.objects.get(kind="pull").get_absolute_url()
