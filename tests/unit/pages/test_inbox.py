"""The inbox: what waits, what happened, and how one hears of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.announcing import announce
from signing.jobs.notices import send_notices
from signing.models import AuditEvent, Event, Notice, NoticeChoice, User
from tests.factories import Cast, make_request


@pytest.fixture
def told(cast: Cast) -> Cast:
    asked = make_request(cast.alice, [cast.repository], cast.developer, reason="<script>alert(1)</script>")
    subject = "dan asks for alice on <b>app</b>."
    announce(
        Event.REQUESTED,
        subject=subject,
        path=asked.get_absolute_url(),
        account=cast.account,
        request=asked,
        actor=cast.developer,
    )
    send_notices()
    return cast


def test_what_waits_and_what_happened_stand_in_it(told: Cast, as_person: Callable[[User], Client]) -> None:
    page = as_person(told.lead).get("/inbox/").content.decode()
    assert "Waiting for me" in page
    assert "1 new" in page
    assert "dan asks for alice on &lt;b&gt;app&lt;/b&gt;." in page
    assert "<script>alert" not in page


def test_nobody_sees_what_others_were_told(told: Cast, as_person: Callable[[User], Client]) -> None:
    for person in (told.developer, told.outsider):
        page = as_person(person).get("/inbox/").content.decode()
        assert "dan asks" not in page
        assert "Nothing waits for you" in page


def test_the_number_counts_what_waits_and_what_is_new(told: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(told.lead)
    assert client.get("/").context["inbox_count"]() == 2
    assert client.post("/inbox/read/").status_code == 302
    assert client.get("/").context["inbox_count"]() == 1
    assert Notice.objects.filter(user=told.other_lead, read_at=None).count() == 1


def test_choosing_is_one_event(told: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(told.lead)
    before = AuditEvent.objects.count()
    ways = dict.fromkeys(Event.values, "inbox") | {"drift": "digest"}
    assert client.post("/me/notices/", ways).status_code == 302
    assert AuditEvent.objects.count() == before + 1
    assert dict(NoticeChoice.objects.filter(user=told.lead).values_list("event", "way")) == ways


def test_an_unknown_way_is_refused(told: Cast, as_person: Callable[[User], Client]) -> None:
    ways = dict.fromkeys(Event.values, "pigeon")
    assert as_person(told.lead).post("/me/notices/", ways).status_code == 400
    assert not NoticeChoice.objects.exists()
