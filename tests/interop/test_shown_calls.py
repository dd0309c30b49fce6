"""A call copied from a page into a shell does what the button beside it does."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from signing.models import AuditEvent, ChangeRequest, Operation, User
from signing.services.api_tokens import create_token
from signing.services.requests import request_signer
from tests.factories import Cast, make_cast, make_key, make_operation, make_repository, make_signer
from tests.parts.programs import require_program

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("needs_curl")]


@pytest.fixture
def needs_curl() -> None:
    require_program("curl")


@dataclass
class Desk:
    """One person with a browser and a shell."""

    server: str
    person: User

    def button(self, path: str, **sent: str) -> None:
        client = Client()
        client.force_login(self.person)
        assert client.post(path, sent).status_code == 302

    def copied(self, page: str, says: str) -> str:
        """Copy the call that stands under these words."""
        client = Client(headers={"host": self.server.removeprefix("http://")})
        client.force_login(self.person)
        shown = client.get(page).content.decode()
        calls = dict(re.findall(r"<span>([^<]*)</span></p>\s*<div><pre><code>(curl [^<]*)</code>", shown))
        return html.unescape(calls[says])

    def shell(self, command: str) -> dict[str, Any]:
        _, raw = create_token(
            actor=self.person,
            user=self.person,
            name="shell",
            scopes=["read", "request", "publish", "approve", "manage"],
            days=1,
        )
        environment = {"PATH": os.environ["PATH"], "TRUSTUI_TOKEN": raw, "no_proxy": "*"}
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def desk(live_server: Any, cast: Cast) -> Desk:
    return Desk(live_server.url.replace("localhost", "127.0.0.1"), cast.lead)


def _told(action: str) -> list[dict[str, Any]]:
    """Give what the record says of each time, without what differs from one thing to the next."""
    events = AuditEvent.objects.filter(action=action).order_by("number")
    assert all(event.correlation for event in events)
    skipped = {"request", "operation", "content", "repositories"}
    return [
        {"actor": event.actor_name, "account": event.account_name}
        | {name: value for name, value in event.detail.items() if name not in skipped}
        for event in events
    ]


def test_approve(cast: Cast, desk: Desk) -> None:
    make_key(cast.account, "root", is_unattended=True)
    signer = make_signer(cast.account, "bob", user=cast.signer)
    pressed, copied = (
        request_signer(actor=cast.developer, signer=signer, repositories=[make_repository(cast.account, path)])
        for path in ("one", "two")
    )
    desk.button(reverse("request_approve", args=[pressed.pk]), content_hash=pressed.content_hash)
    answer = desk.shell(desk.copied(reverse("request", args=[copied.pk]), "Approve a request"))

    assert answer["state"] == "approved"
    states = ChangeRequest.objects.values_list("state", flat=True)
    assert list(states) == ["approved", "approved"]
    works = [request.items.get().operation for request in (pressed, copied)]
    assert [(work.kind, work.state, work.requested_by) for work in works if work] == [
        ("add_signer", "queued", cast.lead)
    ] * 2
    first, second = _told("approve_request")
    assert first == second


def test_cancel(cast: Cast, desk: Desk) -> None:
    pressed, copied = (
        make_operation(Operation.Kind.REFRESH, "refresh", cast.repository, requested_by=cast.lead) for _ in range(2)
    )
    desk.button(reverse("operation_cancel", args=[pressed.pk]))
    answer = desk.shell(desk.copied(reverse("operation", args=[copied.pk]), "Cancel an operation"))

    assert answer["state"] == "cancelled"
    assert set(Operation.objects.values_list("state", flat=True)) == {"cancelled"}
    first, second = _told("cancel_operation")
    assert first == second


def test_check(cast: Cast, desk: Desk) -> None:
    desk.button(reverse("repository_check", args=[cast.repository.gun]))
    answer = desk.shell(desk.copied(reverse("repository", args=[cast.repository.gun]), "Check a repository now"))

    assert answer["id"] == Operation.objects.get().pk, "a check that waits already is given as it is, either way"
    first, second = _told("check_repository")
    assert first == second
