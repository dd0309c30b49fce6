"""The same request sent twice is done once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from signing.models import Account, ApiToken, AuditEvent, KeptAnswer, Operation
from tests.factories import PASSPHRASE, Cast
from tests.unit.api.conftest import as_program

KEY = {"Idempotency-Key": "release-1.4.0"}
ACCOUNT = {"name": "fresh", "registry": "registry.test:5000", "namespace": "fresh", "trust_server": "notary"}


def test_a_repeated_request_gets_the_first_answer_and_is_done_once(cast: Cast) -> None:
    call = as_program(cast.admin)
    first, second = (call.post("/accounts", ACCOUNT, **KEY) for _ in range(2))

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotency-Replayed"] == "true"
    assert AuditEvent.objects.filter(action="create_account").count() == 1


def test_another_request_under_the_same_key_is_refused(cast: Cast) -> None:
    call = as_program(cast.admin)
    call.post("/accounts", ACCOUNT, **KEY)
    answer = call.post("/accounts", ACCOUNT | {"name": "other2"}, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "key_used_otherwise")
    assert not Account.objects.filter(name="other2").exists()


def test_another_address_under_the_same_key_is_refused(cast: Cast) -> None:
    call = as_program(cast.admin)
    call.post(f"/repositories/{cast.repository.gun}/-/check", **KEY)

    assert call.post("/accounts", ACCOUNT, **KEY).status_code == 422


def test_keys_of_different_people_are_different_keys(cast: Cast) -> None:
    address = f"/repositories/{cast.repository.gun}/-/check"
    answers = [as_program(user).post(address, **KEY) for user in (cast.lead, cast.developer)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert "Idempotency-Replayed" not in answers[1]


def test_another_token_of_the_same_person_does_not_get_the_answer(cast: Cast) -> None:
    as_program(cast.admin).post("/accounts", ACCOUNT, **KEY)

    assert as_program(cast.admin, "read").post("/accounts", ACCOUNT, **KEY).status_code == 422


def test_a_refused_request_may_be_tried_again_under_its_key(cast: Cast) -> None:
    call = as_program(cast.admin)
    Account.objects.filter(name="other").update(name="fresh")
    assert call.post("/accounts", ACCOUNT, **KEY).status_code == 409
    Account.objects.filter(name="fresh").update(name="other")

    assert call.post("/accounts", ACCOUNT, **KEY).status_code == 201


def test_a_secret_is_shown_once_and_kept_nowhere(cast: Cast) -> None:
    call = as_program(cast.admin)
    body = {"name": "ci", "scopes": ["read"], "days": 7}
    raw = call.post("/tokens", body, **KEY).json()["token"]
    again = call.post("/tokens", body, **KEY)

    assert (again.status_code, again.json()["code"]) == (409, "answer_not_kept")
    assert ApiToken.objects.filter(name="ci").count() == 1
    assert raw not in str(list(KeptAnswer.objects.values()))


def test_no_passphrase_can_be_guessed_from_what_is_kept(cast: Cast) -> None:
    body = {"account": "team", "name": "carol", "passphrase": PASSPHRASE}
    as_program(cast.lead).post("/keys/generate", body, **KEY)
    (kept,) = KeptAnswer.objects.values()

    assert PASSPHRASE not in str(kept)
    assert Operation.objects.count() == 1


def test_after_a_day_the_key_is_free_again(cast: Cast) -> None:
    address = f"/repositories/{cast.repository.gun}/-/check"
    call = as_program(cast.lead)
    call.post(address, **KEY)
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        assert "Idempotency-Replayed" not in call.post(address, **KEY)


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "ключ"])
def test_what_is_no_key_is_refused(cast: Cast, key: str) -> None:
    answer = as_program(cast.admin).post("/accounts", ACCOUNT, **{"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_members")
