"""Watching, cancelling and trying again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import Operation, OperationLine, User
from tests.factories import PASSPHRASE, Cast, make_operation

from .reading import Page

PART = {"HX-Request": "true", "HX-Target": "progress"}


@pytest.fixture
def running(cast: Cast) -> Operation:
    return make_operation(
        "publish",
        "pull",
        cast.repository,
        state="running",
        done_steps=["resolve"],
        signer=cast.alice,
        key=cast.alice.key,
        requested_by=cast.signer,
        parameters={"source": "alpine:3.20", "tag": "1.0", "from_local": False, "sign": True},
        layers={"aa11": {"status": "Downloading", "current": 5, "total": 10}, "bb22": {"status": "Waiting"}},
    )


@pytest.fixture
def failed(running: Operation) -> Operation:
    running.state = Operation.State.FAILED
    running.error, running.next_step = "The registry wants a user name.", "Check the stored login."
    running.save()
    return running


def test_running_work_shows_its_steps_and_layers(
    running: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    page = Page(as_person(cast.developer).get(running.get_absolute_url()))
    assert page.all("li", **{"aria-current": "step"})
    assert [(bar.get("value"), bar.get("max")) for bar in page.all("progress")] == [("5", "10"), (None, None)]
    assert page.all("div", id="progress")[0]["hx-trigger"] == "every 1s"
    assert "to come" in page.text


def test_polling_answers_304_until_something_moves(
    running: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.developer)
    shown = Page(client.get(running.get_absolute_url())).all("div", id="progress")[0]["data-etag"]
    still = client.get(running.get_absolute_url(), headers=PART | {"If-None-Match": shown})
    assert (still.status_code, still.content) == (304, b"")
    OperationLine.objects.create(operation=running, text="Pulled layer 1")
    moved = client.get(running.get_absolute_url(), headers=PART | {"If-None-Match": shown})
    assert moved.status_code == 200
    assert moved["ETag"] != shown
    assert "Pulled layer 1" in moved.content.decode()
    assert not Page(moved).all("h1")


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_what_is_over_polls_no_more(
    running: Operation, cast: Cast, as_person: Callable[[User], Client], state: str
) -> None:
    Operation.objects.update(state=state)
    part = Page(as_person(cast.developer).get(running.get_absolute_url(), headers=PART))
    assert "hx-trigger" not in part.all("div", id="progress")[0]


def test_a_failure_names_cause_next_step_and_outcome(
    failed: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    page = Page(as_person(cast.developer).get(failed.get_absolute_url()))
    assert "The registry wants a user name." in page.text
    assert "Check the stored login." in page.text
    assert "failed, nothing published" in page.text
    assert "failed here" in page.text


def test_trying_again_asks_for_the_passphrase_anew(
    failed: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    client = as_person(cast.signer)
    url = f"/operations/{failed.pk}/retry/"
    assert Page(client.get(failed.get_absolute_url())).field("passphrase_signer")["autocomplete"] == "off"
    assert client.post(url).status_code == 400
    assert client.post(url, {"passphrase_signer": PASSPHRASE}).url == failed.get_absolute_url()
    failed.refresh_from_db()
    assert (failed.state, failed.error) == (Operation.State.QUEUED, "")


def test_a_stored_signature_needs_no_passphrase_to_go_on(
    failed: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    Operation.objects.update(result={"signature_stored": True}, done_steps=["resolve", "pull", "push", "sign"])
    client = as_person(cast.signer)
    page = Page(client.get(failed.get_absolute_url()))
    assert not page.all("input", type="password")
    assert "failed, signature stored, tag not moved" in page.text
    assert client.post(f"/operations/{failed.pk}/retry/").status_code == 302


def test_cancelling_is_for_who_started_it_or_a_lead(
    running: Operation, cast: Cast, as_person: Callable[[User], Client]
) -> None:
    url = f"/operations/{running.pk}/cancel/"
    other = as_person(cast.developer)
    assert not Page(other.get(running.get_absolute_url())).offers(url)
    assert other.post(url).status_code == 403
    assert as_person(cast.signer).post(url).url == running.get_absolute_url()
    running.refresh_from_db()
    assert running.cancel_requested


def test_cancelling_too_late_is_a_sentence(running: Operation, cast: Cast, as_person: Callable[[User], Client]) -> None:
    Operation.objects.update(state="done")
    response = as_person(cast.signer).post(f"/operations/{running.pk}/cancel/")
    assert response.status_code == 409
    assert "over already" in Page(response).text


def test_the_list_narrows_by_state_and_kind(failed: Operation, cast: Cast, as_person: Callable[[User], Client]) -> None:
    check = make_operation("refresh", "refresh", cast.repository)
    client = as_person(cast.auditor)
    page = Page(client.get("/operations/?state=failed&kind=publish"))
    assert page.offers(failed.get_absolute_url())
    assert not page.offers(check.get_absolute_url())
    assert "None of these" in Page(client.get("/operations/?state=cancelled")).text
