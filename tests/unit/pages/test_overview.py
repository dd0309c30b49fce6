"""The first page, the signers, the audit log."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from signing.models import EngineStatus, Key, SignedTag, Signer, User
from signing.services.audit import record
from tests.factories import Cast, make_key, make_operation, make_repository, make_request, make_user

from .reading import Page


def test_a_newcomer_is_told_the_first_step(db: None, as_person: Callable[[User], Client]) -> None:
    page = Page(as_person(make_user("new")).get("/"))
    assert "0 of 10 done" in page.text
    assert "You belong to no account yet." in page.text
    assert "your user name is new" in page.text
    assert page.all("li", **{"class": "is-next"})


def test_the_checklist_knows_what_is_done(cast: Cast, as_person: Callable[[User], Client]) -> None:
    SignedTag.objects.create(repository=cast.repository, tag="1", digest="ab" * 32, length=1, sort_key="1")
    make_request(cast.alice, [make_repository(cast.account, "shop")], cast.signer)
    make_operation("publish", "release", cast.repository, state="done")
    assert "10 of 10 done" in Page(as_person(cast.developer).get("/")).text


def test_what_waits_for_me_comes_with_a_button(cast: Cast, as_person: Callable[[User], Client]) -> None:
    asked = make_request(cast.alice, [make_repository(cast.account, "shop")], cast.signer)
    page = Page(as_person(cast.lead).get("/"))
    assert "1 request waits for your decision." in page.text
    assert page.offers(asked.get_absolute_url())
    assert not Page(as_person(cast.signer).get("/")).offers(asked.get_absolute_url())


def test_what_is_off_says_how_to_turn_it_on(cast: Cast, as_person: Callable[[User], Client]) -> None:
    EngineStatus.objects.create(is_available=False, reason="No socket at /var/run/docker.sock.")
    page = Page(as_person(cast.lead).get("/"))
    assert "No socket at /var/run/docker.sock." in page.text
    assert "sudo systemctl start docker" in page.text


def test_a_person_names_a_signer_with_their_own_key(cast: Cast, as_person: Callable[[User], Client]) -> None:
    key = make_key(cast.account, name="second", owner=cast.signer)
    client = as_person(cast.signer)
    page = Page(client.get("/new/signer/?account=team"))
    assert not page.all("input", name="user")
    response = client.post("/new/signer/?account=team", {"name": "second", "key": key.key_id})
    signer = Signer.objects.get(name="second")
    assert response.url == signer.get_absolute_url()
    assert signer.user == cast.signer


def test_a_lead_names_a_machine(cast: Cast, as_person: Callable[[User], Client]) -> None:
    key: Key = make_key(cast.account, name="ci", owner=cast.lead)
    as_person(cast.lead).post("/new/signer/?account=team", {"name": "ci", "key": key.key_id, "user": ""})
    assert Signer.objects.get(name="ci").user is None


def test_a_signers_name_that_means_a_role_is_refused(cast: Cast, as_person: Callable[[User], Client]) -> None:
    key = make_key(cast.account, name="x", owner=cast.lead)
    response = as_person(cast.lead).post("/new/signer/?account=team", {"name": "releases", "key": key.key_id})
    assert response.status_code == 400
    assert "is no name for a signer" in Page(response).text


def test_a_signer_shows_where_it_may_sign_and_what_it_signed(cast: Cast, as_person: Callable[[User], Client]) -> None:
    SignedTag.objects.create(
        repository=cast.repository, tag="7.1", digest="ab" * 32, length=1, signers=["alice"], sort_key="1"
    )
    page = Page(as_person(cast.auditor).get(cast.alice.get_absolute_url()))
    assert page.offers(cast.repository.get_absolute_url())
    assert page.offers(f"/repositories/{cast.repository.gun}:7.1/")


def test_the_audit_log_is_searched(cast: Cast, as_person: Callable[[User], Client]) -> None:
    record(cast.lead, "approve_request", account=cast.account, subject="alice")
    record(cast.lead, "check_repository", account=cast.account, subject="app")
    page = Page(as_person(cast.auditor).get("/audit/?q=approve"))
    assert page.offers("/audit/1/")
    assert not page.offers("/audit/2/")
    assert "Nothing written yet" in Page(as_person(cast.outsider).get("/audit/")).text
