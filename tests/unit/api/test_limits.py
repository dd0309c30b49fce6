"""How often one sender may ask, and what does not count against others."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.factories import Cast
from tests.unit.api.conftest import as_program
from trustui.api import limits


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REQUESTS", "5/m")
    monkeypatch.setattr(limits, "CHANGES", "2/m")


def test_too_many_requests_of_a_token_are_refused_until_a_minute_is_over(cast: Cast) -> None:
    call = as_program(cast.lead)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        statuses = [call.get("/me").status_code for _ in range(6)]
        refused = call.get("/me")
        clock.shift(timedelta(seconds=int(refused["Retry-After"])))
        after = call.get("/me").status_code

    assert statuses == [200] * 5 + [429]
    assert refused.json()["code"] == "too_many_requests"
    assert after == 200


def test_changes_are_fewer_than_requests(cast: Cast) -> None:
    call = as_program(cast.lead)
    path = f"/repositories/{cast.repository.gun}/-/check"

    assert [call.post(path).status_code for _ in range(3)] == [202, 202, 429]
    assert call.get("/me").status_code == 200


def test_another_token_and_the_session_are_counted_for_themselves(cast: Cast) -> None:
    call = as_program(cast.lead)
    assert [call.get("/me").status_code for _ in range(6)][-1] == 429
    session = Client()
    session.force_login(cast.lead)

    assert as_program(cast.lead).get("/me").status_code == 200
    assert session.get("/api/v1/me").status_code == 200


def test_an_address_a_sender_writes_itself_does_not_count(cast: Cast) -> None:
    """Nobody gets new tries by naming another address: the proxy's word counts only where there is one."""
    wrong = {"Authorization": "Bearer trustui_" + "a" * 43}
    statuses = [
        Client().get("/api/v1/me", headers={**wrong, "X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(11)
    ]

    assert statuses == [401] * 10 + [429]
