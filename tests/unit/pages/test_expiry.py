"""The page of what runs out: whose rows, filters, files, remedies, and the feed for calendars."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from signing.models import ApiToken, ChangeRequest, Membership, Repository, User
from signing.services.api_tokens import create_token
from tests.factories import Cast, make_repository, make_request, make_signer
from tests.parts.calendars import read_calendar

from .reading import Page

SignIn = Callable[[User], Client]
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def roles_of(**days: int) -> list[dict[str, object]]:
    return [
        {"role": role.replace("__", "/"), "version": 1, "expires": (NOW + timedelta(days=count)).isoformat()}
        for role, count in days.items()
    ]


@pytest.fixture
def endings(cast: Cast) -> Iterator[Cast]:
    """One of everything in the account, and a foreign repository beside it."""
    with time_machine.travel(NOW, tick=False):
        fill(cast)
        yield cast


def fill(cast: Cast) -> None:
    cast.repository.roles = roles_of(root=3000, targets=200, targets__alice=20, snapshot=300, timestamp=10)
    cast.repository.save()
    foreign = make_repository(cast.foreign, "offside")
    foreign.roles = roles_of(root=5, targets=-3)
    foreign.save()
    cast.alice.key.certificate_expires = NOW + timedelta(days=40)
    cast.alice.key.save()
    create_token(actor=cast.lead, user=cast.lead, name="=cmd", scopes=["read", "request"], days=90)
    Membership.objects.filter(user=cast.developer).update(ends_at=NOW + timedelta(days=60))
    timed = make_request(cast.alice, [cast.repository], cast.developer, signer_ends_at=NOW + timedelta(days=25))
    gone = make_request(make_signer(cast.account, "gone"), [cast.repository], cast.developer, signer_ends_at=NOW)
    ChangeRequest.objects.filter(pk__in=(timed.pk, gone.pk)).update(state=ChangeRequest.State.APPROVED)


def shown(client: Client, query: str = "") -> list[tuple[str, int]]:
    rows = orjson.loads(client.get(f"/expiry/expiry.json{query}").content)
    return [(row["what"], row["days"]) for row in rows]


def test_everything_that_ends_stands_there_in_its_order(endings: Cast, as_person: SignIn) -> None:
    client = as_person(endings.lead)
    assert shown(client) == [
        ("timestamp", 10),
        ("targets/alice", 20),
        ("Signer alice", 25),
        ("Certificate of the key alice", 40),
        ("Role developer", 60),
        ("API token =cmd", 90),
        ("targets", 200),
        ("snapshot", 300),
        ("root", 3000),
    ]
    page = Page(client.get("/expiry/"))
    for text in ("What alice alone signed stops verifying", "Programs that use it are refused", "2026-12", "20 days"):
        assert text in page.text
    assert "2 snapshot and timestamp roles" in page.text
    assert "Dec 2026: 2" in page.text


def test_each_sees_what_they_reach(endings: Cast, as_person: SignIn) -> None:
    assert "offside" not in as_person(endings.lead).get("/expiry/").content.decode()
    assert shown(as_person(endings.outsider)) == [("targets", -3), ("root", 5)]
    assert len(shown(as_person(endings.admin))) == 11
    guest = User.objects.create_user("gus")
    other = make_repository(endings.account, "other")
    Membership.objects.create(account=endings.account, user=guest, repository=other, role="developer")
    assert shown(as_person(guest)) == []


@pytest.mark.parametrize(
    ("query", "whats"),
    [
        ("?kind=certificate", ["Certificate of the key alice"]),
        ("?days=25", ["timestamp", "targets/alice"]),
        ("?account=other", []),
        ("?account=team&kind=root", ["root"]),
        ("?month=2027-02", ["API token =cmd"]),
        ("?days=-1&kind=nonsense&month=2027-02", ["API token =cmd"]),
    ],
)
def test_filters_narrow_page_and_files_alike(endings: Cast, as_person: SignIn, query: str, whats: list[str]) -> None:
    client = as_person(endings.lead)
    assert [what for what, _ in shown(client, query)] == whats
    rows = list(csv.DictReader(io.StringIO(client.get(f"/expiry/expiry.csv{query}").content.decode())))
    assert [row["what"] for row in rows] == whats
    page = Page(client.get(f"/expiry/{query}"))
    links = {a.get("href") for a in page.all("a", **{"class": "name"})}
    assert len(links) == len([what for what in whats if what != "timestamp"])
    assert page.offers(f"/expiry/expiry.csv{query}")


def test_a_spreadsheet_takes_nothing_for_a_formula(endings: Cast, as_person: SignIn) -> None:
    ApiToken.objects.update(name="x")
    User.objects.filter(pk=endings.lead.pk).update(first_name="=1+1")
    rows = csv.DictReader(io.StringIO(as_person(endings.lead).get("/expiry/expiry.csv?kind=token").content.decode()))
    assert [row["whose"] for row in rows] == ["'=1+1"]


def test_remedies_are_offered_to_whom_they_are_open(endings: Cast, as_person: SignIn) -> None:
    rotation = f"/new/request/rotation/?account=team&repository={endings.repository.gun.replace('/', '%2F')}"
    rotation = f"{rotation.replace('test:', 'test%3A')}&role=root"
    key = endings.alice.key.get_absolute_url()
    for person, sees in ((endings.lead, 7), (endings.developer, 2), (endings.auditor, 0)):
        client = as_person(person)
        page = Page(client.get("/expiry/"))
        links = [a["href"] or "" for a in page.all("a", **{"class": "button tiny"})]
        assert len(links) == sees, (person, links)
        assert (rotation in links) == (person == endings.lead)
        assert (key in links) == (person == endings.lead)
        assert {client.get(link).status_code for link in links} <= {200}


def test_nothing_yet_teaches_what_would_come(cast: Cast, as_person: SignIn) -> None:
    page = Page(as_person(cast.lead).get("/expiry/"))
    assert "Nothing runs out" in page.text
    assert page.offers("/repositories/")
    assert "Nothing found" in Page(as_person(cast.lead).get("/expiry/?days=7")).text


class TestFeed:
    @pytest.fixture(autouse=True)
    def forget_wrong_tokens(self) -> None:
        cache.clear()

    @pytest.fixture
    def token(self, endings: Cast) -> str:
        return create_token(actor=endings.lead, user=endings.lead, name="calendar", scopes=["read"], days=30)[1]

    def test_it_holds_what_its_token_reads_with_two_reminders(self, token: str, client: Client) -> None:
        answer = client.get("/expiry/calendar.ics", {"token": token})
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        calendar = read_calendar(answer.content)
        summaries = {event.summary: event for event in calendar}
        gun = "registry.test:5000/team/app"
        assert f"root ends ({gun})" in summaries
        assert not any(text in summary for summary in summaries for text in ("timestamp", "snapshot", "offside"))
        delegation = summaries[f"targets/alice ends ({gun})"]
        assert (delegation.day.isoformat(), delegation.alarms) == ("2026-12-15", (-30, -7))
        assert delegation.url == f"http://testserver/repositories/{gun}/"
        assert "stops verifying until alice signs again." in delegation.description

    def test_an_event_keeps_its_name_when_its_day_moves(self, token: str, client: Client) -> None:
        before = read_calendar(client.get("/expiry/calendar.ics", {"token": token}).content)
        Repository.objects.filter(roles__isnull=False).update(roles=roles_of(root=1000))
        after = read_calendar(client.get("/expiry/calendar.ics", {"token": token}).content)
        of_root = [
            {event.uid: event.day for event in found if event.summary.startswith("root")} for found in (before, after)
        ]
        assert of_root[0].keys() == of_root[1].keys() != set()
        assert of_root[0] != of_root[1]

    def test_filters_count_there_too(self, token: str, client: Client) -> None:
        found = read_calendar(client.get("/expiry/calendar.ics", {"token": token, "kind": "root"}).content)
        assert len(found) == 1

    def test_a_session_does_not_open_it(self, endings: Cast, as_person: SignIn) -> None:
        answer = as_person(endings.lead).get("/expiry/calendar.ics")
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "text/plain; charset=utf-8")

    def test_a_token_that_may_do_more_is_refused(self, endings: Cast, client: Client) -> None:
        _, raw = create_token(actor=endings.lead, user=endings.lead, name="all", scopes=["read", "approve"], days=3)
        assert client.get("/expiry/calendar.ics", {"token": raw}).status_code == 403

    def test_a_token_that_was_revoked_opens_nothing(self, token: str, client: Client) -> None:
        ApiToken.objects.filter(name="calendar").update(revoked_at=NOW)
        assert client.get("/expiry/calendar.ics", {"token": token}).status_code == 401

    def test_tokens_are_not_tried_out(self, token: str, client: Client) -> None:
        answers = [client.get("/expiry/calendar.ics", {"token": "trustui_" + "x" * 43}).status_code for _ in range(11)]
        assert answers == [401] * 10 + [429]
        assert client.get("/expiry/calendar.ics", {"token": token}).status_code == 429

    def test_the_token_stays_out_of_the_log(
        self, token: str, client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        ApiToken.objects.filter(name="calendar").update(scopes=["read", "manage"])
        for raw in (token, token[:-1] + "_"):
            assert client.get("/expiry/calendar.ics", {"token": raw}).status_code in (401, 403)
        written = caplog.text + "".join(capfd.readouterr())
        assert token not in written
