"""Asking for a signer, and another person's decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from signing.models import ChangeRequest, Operation, Repository, SealedSecret, User
from tests.factories import PASSPHRASE, Cast, make_key, make_repository, make_request, make_signer

from .reading import Page


def shown(page: Page) -> dict[str, str]:
    """Give what the page's form sends along: the content that was shown."""
    return {"content_hash": page.field("content_hash")["value"]}


@pytest.fixture
def shop(cast: Cast) -> Repository:
    make_key(cast.account, "root")
    return make_repository(cast.account, "shop")


@pytest.fixture
def asked(cast: Cast, shop: Repository) -> ChangeRequest:
    return make_request(cast.alice, [shop], cast.signer, reason="New team")


def test_a_person_asks_for_many_repositories_at_once(
    cast: Cast, shop: Repository, as_person: Callable[[User], Client]
) -> None:
    blog = make_repository(cast.account, "blog")
    response = as_person(cast.developer).post(
        "/new/request/?account=team",
        {"signer": cast.alice.pk, "repositories": [shop.gun, blog.gun], "reason": "Release team"},
    )
    made = ChangeRequest.objects.get()
    assert response.url == made.get_absolute_url()
    assert {item.repository for item in made.items.all()} == {shop, blog}


def test_a_link_fills_the_form_in(cast: Cast, shop: Repository, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(cast.developer).get("/new/request/", {"account": "team", "repository": shop.gun}))
    assert "checked" in page.all("input", type="checkbox", value=shop.gun)[0]


def test_a_chosen_repository_stays_chosen_when_the_search_hides_it(
    cast: Cast, shop: Repository, as_person: Callable[[User], Client]
) -> None:
    url = "/new/request/?account=team&q=nothing-like-it"
    response = as_person(cast.developer).post(url, {"signer": cast.alice.pk, "repositories": [shop.gun]})
    assert response.status_code == 302


def test_asking_for_what_is_already_so_is_refused_in_words(cast: Cast, as_person: Callable[[User], Client]) -> None:
    response = as_person(cast.developer).post(
        "/new/request/?account=team", {"signer": cast.alice.pk, "repositories": [cast.repository.gun]}
    )
    assert response.status_code == 409
    assert "may sign registry.test:5000/team/app already" in Page(response).text


def test_the_lead_sees_person_fingerprint_custody_and_effect(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    page = Page(as_person(cast.lead).get(asked.get_absolute_url()))
    assert cast.alice.key.key_id in page.text
    assert "Sealed on this server" in page.text
    assert "targets/alice" in page.text
    assert "initialised" in page.text
    assert "New team" in page.text
    assert page.field("passphrase_root")["autocomplete"] == "off"


def test_an_unattended_root_key_leaves_nothing_to_type(cast: Cast, as_person: Callable[[User], Client]) -> None:
    make_key(cast.account, "root", is_unattended=True)
    asked = make_request(cast.alice, [make_repository(cast.account, "shop")], cast.signer)
    client = as_person(cast.lead)
    page = Page(client.get(asked.get_absolute_url()))
    assert not page.all("input", type="password")
    assert "sign without a passphrase" in page.text
    assert client.post(f"/requests/{asked.pk}/approve/", shown(page)).status_code == 302
    assert Operation.objects.filter(kind="add_signer").count() == 1
    assert not SealedSecret.objects.exists()


def test_approving_starts_the_work_and_nothing_of_the_passphrase_stays(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    given = {"passphrase_root": PASSPHRASE, "passphrase_repository": "a new passphrase", "comment": "Welcome"}
    given |= shown(Page(client.get(asked.get_absolute_url())))
    response = client.post(f"/requests/{asked.pk}/approve/", given)
    assert response.url == asked.get_absolute_url()
    operation = Operation.objects.get(kind=Operation.Kind.ADD_SIGNER)
    assert set(operation.secrets.values_list("purpose", flat=True)) == {"root", "repository"}
    assert all(PASSPHRASE.encode() not in bytes(secret.box) for secret in SealedSecret.objects.all())
    page = Page(client.get(asked.get_absolute_url()))
    assert "Welcome" in page.text
    assert page.all("section", id="works")[0]["hx-trigger"] == "every 1s"
    assert page.offers(operation.get_absolute_url())


def test_an_approval_without_the_passphrase_is_asked_again(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    response = as_person(cast.lead).post(
        f"/requests/{asked.pk}/approve/", {"passphrase_root": PASSPHRASE, "comment": "kept"}
    )
    page = Page(response)
    assert response.status_code == 400
    assert PASSPHRASE not in page.html
    assert [field["value"] for field in page.all("input", name="comment") if "value" in field] == ["kept"]
    asked.refresh_from_db()
    assert asked.state == ChangeRequest.State.WAITING


def test_nobody_approves_their_own(cast: Cast, shop: Repository, as_person: Callable[[User], Client]) -> None:
    own = make_request(make_signer(cast.account, "lea", user=cast.lead), [shop], cast.lead)
    client = as_person(cast.lead)
    page = Page(client.get(own.get_absolute_url()))
    assert "You asked for this, so somebody else decides." in page.text
    assert not page.offers(f"/requests/{own.pk}/approve/")
    sent = {"passphrase_root": PASSPHRASE, "passphrase_repository": PASSPHRASE}
    response = client.post(f"/requests/{own.pk}/approve/", sent)
    assert response.status_code == 403
    own.refresh_from_db()
    assert own.state == ChangeRequest.State.WAITING


@pytest.mark.parametrize("person", ["signer", "developer", "auditor"])
def test_who_is_no_lead_decides_nothing(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client], person: str
) -> None:
    response = as_person(getattr(cast, person)).post(f"/requests/{asked.pk}/reject/", {"comment": "no"})
    assert response.status_code == 403
    asked.refresh_from_db()
    assert asked.state == ChangeRequest.State.WAITING


def test_rejecting_ends_it_with_a_reason(cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.lead)
    client.post(f"/requests/{asked.pk}/reject/", {"comment": "Two are enough"})
    page = Page(client.get(asked.get_absolute_url()))
    assert "Rejected" in page.text
    assert "Two are enough" in page.text
    assert client.post(f"/requests/{asked.pk}/reject/").status_code == 409


def test_a_request_nobody_decided_in_time_offers_no_button(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    ChangeRequest.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    page = Page(as_person(cast.lead).get(asked.get_absolute_url()))
    assert "Nobody decided in time." in page.text
    assert not page.offers(f"/requests/{asked.pk}/approve/")


def test_a_missing_root_key_is_said_before_the_button(cast: Cast, as_person: Callable[[User], Client]) -> None:
    asked = make_request(cast.alice, [make_repository(cast.account, "blog")], cast.signer)
    page = Page(as_person(cast.lead).get(asked.get_absolute_url()))
    assert "has no root key yet" in page.text


def test_the_inbox_counts_only_what_this_person_can_decide(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    waiting = Page(as_person(cast.lead).get("/requests/?show=mine"))
    assert waiting.offers(asked.get_absolute_url())
    assert "1 waiting for you" in waiting.text
    assert "Nothing waits for you" in Page(as_person(cast.signer).get("/requests/?show=mine")).text


def test_what_was_refused_is_said_where_no_form_is_left(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    content = shown(Page(client.get(asked.get_absolute_url())))
    client.post(f"/requests/{asked.pk}/reject/")
    response = client.post(f"/requests/{asked.pk}/approve/", content)
    assert response.status_code == 409
    assert "rejected already" in Page(response).text


def test_an_approval_of_what_was_shown_before_is_refused(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.lead)
    sent = shown(Page(client.get(asked.get_absolute_url())))
    sent |= {"passphrase_root": PASSPHRASE, "passphrase_repository": "new words"}
    ChangeRequest.objects.update(parameters={"removes_itself": True})
    for forged in (sent, sent | {"content_hash": ""}):
        response = client.post(f"/requests/{asked.pk}/approve/", forged)
        assert response.status_code == 409
        assert "has changed since you looked" in Page(response).text
    assert not Operation.objects.exists()


def test_a_decision_about_something_else_is_shown_as_void(
    cast: Cast, asked: ChangeRequest, as_person: Callable[[User], Client]
) -> None:
    ChangeRequest.objects.update(needed_approvals=2)
    client = as_person(cast.other_lead)
    client.post(f"/requests/{asked.pk}/approve/", shown(Page(client.get(asked.get_absolute_url()))))
    assert "1 of 2 approvals" in Page(client.get(asked.get_absolute_url())).text
    ChangeRequest.objects.update(parameters={"removes_itself": True})
    page = Page(client.get(asked.get_absolute_url()))
    assert "0 of 2 approvals" in page.text
    assert "does not count any more" in page.text
    assert page.offers(f"/requests/{asked.pk}/approve/")
