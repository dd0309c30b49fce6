"""Finding a repository and reading it as `docker trust inspect` would."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import AuditEvent, Operation, Repository, SignedTag, User
from tests.factories import Cast, make_repository

from .reading import Page

DIGEST = "9c" * 32


@pytest.fixture
def tag(cast: Cast) -> SignedTag:
    return SignedTag.objects.create(
        repository=cast.repository, tag="1.4.0", digest=DIGEST, length=528, signers=["alice"], sort_key="1"
    )


def test_the_list_keeps_its_filters_in_the_address(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_repository(cast.account, "unsigned-thing", verdict="unsigned")
    page = Page(as_person(cast.developer).get("/repositories/?q=thing&verdict=unsigned"))
    assert "unsigned-thing" in page.html
    assert page.field("q")["value"] == "thing"
    assert not page.offers(cast.repository.get_absolute_url())


def test_a_filter_that_is_no_choice_narrows_nothing(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.developer).get("/repositories/?verdict=nonsense&account=other&page=99")
    assert response.status_code == 200
    assert Page(response).offers(cast.repository.get_absolute_url())


def test_searching_with_htmx_answers_the_rows_alone(cast: Cast, as_person: Callable[[User], Client]) -> None:
    headers = {"HX-Request": "true", "HX-Target": "rows"}
    response = as_person(cast.developer).get("/repositories/?q=app", headers=headers)
    page = Page(response)
    assert page.all("section", id="rows")
    assert not page.all("h1")
    assert "HX-Target" in response["Vary"]


def test_an_empty_list_teaches(cast: Cast, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.outsider).get("/repositories/"))
    assert "No repositories yet" in page.text
    assert page.offers("/new/repository/")
    assert "trustctl inspect" in page.text


def test_a_lead_adds_a_repository_and_it_is_asked_about(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.lead).post("/new/repository/?account=team", {"path": "shop", "description": "Shop"})
    repository = Repository.objects.get(gun="registry.test:5000/team/shop")
    assert response.url == repository.get_absolute_url() == "/repositories/registry.test:5000/team/shop/"
    assert repository.operations.get().kind == Operation.Kind.REFRESH


@pytest.mark.parametrize("path", ["UPPER", "../up", "a b", "x:1"])
def test_a_name_the_format_forbids_is_refused_with_what_was_typed(
    cast: Cast, as_person: Callable[[User], Client], path: str
) -> None:
    response = as_person(cast.lead).post("/new/repository/?account=team", {"path": path})
    page = Page(response)
    assert response.status_code == 400
    assert page.field("path")["value"] == path
    assert 'role="alert"' in page.html


def test_the_page_shows_what_docker_trust_inspect_shows(
    cast: Cast, tag: SignedTag, as_person: Callable[[User], Client]
) -> None:
    page = Page(as_person(cast.auditor).get(cast.repository.get_absolute_url()))
    assert "1.4.0" in page.text
    assert f"sha256:{DIGEST[:12]}" in page.text
    assert page.all("button", **{"data-copy": f"sha256:{DIGEST}"})
    assert cast.alice.key.key_id[:12] in page.text
    assert "Administrative keys for registry.test:5000/team/app" in page.text
    assert "trustctl inspect --server https://notary.test:4443" in page.text


def test_the_json_is_dockers(cast: Cast, tag: SignedTag, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.auditor).get(f"/repository-json/{cast.repository.gun}/")
    (described,) = json.loads(response.content)
    assert described["SignedTags"] == [{"SignedTag": "1.4.0", "Digest": DIGEST, "Signers": ["alice"]}]
    assert [key["Name"] for key in described["AdministrativeKeys"]] == ["Root", "Repository"]


def test_a_signer_whose_key_nobody_enrolled_has_no_face(
    cast: Cast, tag: SignedTag, as_person: Callable[[User], Client]
) -> None:
    cast.repository.signers = [{"name": "alice", "keys": ["f" * 64]}]
    cast.repository.save()
    page = Page(as_person(cast.lead).get(cast.repository.get_absolute_url()))
    assert "not known here" in page.text


def test_a_tag_has_its_own_page(cast: Cast, tag: SignedTag, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.developer).get(f"/repositories/{cast.repository.gun}:1.4.0/"))
    assert f"{cast.repository.gun}@sha256:{DIGEST}" in page.text
    assert page.offers(f"/pull/{cast.repository.gun}:1.4.0/")


def test_an_unsigned_tag_says_so_with_a_404(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.developer).get(f"/repositories/{cast.repository.gun}:nope/")
    assert response.status_code == 404
    assert "This tag is not signed" in response.content.decode()


def test_text_from_outside_stays_text(cast: Cast, as_person: Callable[[User], Client]) -> None:
    nasty = "<img src=x onerror=alert(1)>/../"
    SignedTag.objects.create(
        repository=cast.repository, tag=nasty, digest=DIGEST, length=1, signers=["<b>x</b>"], sort_key="1"
    )
    Repository.objects.filter(pk=cast.repository.pk).update(reason="<script>boo()</script>", verdict="broken")
    page = Page(as_person(cast.developer).get(cast.repository.get_absolute_url()))
    assert nasty in page.text
    assert not page.all("img")
    assert "<script>boo" not in page.html
    assert "<b>x" not in page.html


def test_ten_thousand_tags_are_searched_and_paged(cast: Cast, as_person: Callable[[User], Client]) -> None:
    SignedTag.objects.bulk_create(
        SignedTag(
            repository=cast.repository,
            tag=f"build-{i:05}",
            digest=DIGEST,
            length=1,
            signers=["alice"],
            sort_key=f"{i:05}",
        )
        for i in range(10_000)
    )
    client = as_person(cast.developer)
    response = client.get(cast.repository.get_absolute_url(), {"page": 200})
    assert len(response.content) < 150_000
    assert "build-09999" in response.content.decode()
    found = Page(client.get(cast.repository.get_absolute_url(), {"tag": "07777"}))
    assert found.offers(f"/repositories/{cast.repository.gun}:build-07777/")


def test_check_now_queues_one_check_and_the_page_follows_it(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.developer)
    url = f"/repository-check/{cast.repository.gun}/"
    assert client.post(url).url == cast.repository.get_absolute_url()
    part = Page(client.post(url, headers={"HX-Request": "true", "HX-Target": "check"}))
    assert cast.repository.operations.count() == 1
    assert part.all("section", id="check")[0]["hx-trigger"] == "every 1s"
    cast.repository.operations.update(state="done")
    ended = Page(client.get(cast.repository.get_absolute_url(), headers={"HX-Request": "true", "HX-Target": "check"}))
    assert "hx-trigger" not in ended.all("section", id="check")[0]


def test_who_may_only_read_cannot_have_it_checked(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.auditor)
    url = f"/repository-check/{cast.repository.gun}/"
    assert not Page(client.get(cast.repository.get_absolute_url())).offers(url)
    response = client.post(url)
    assert response.status_code == 403
    assert "Ask a lead" in response.content.decode()
    assert not AuditEvent.objects.exists()
