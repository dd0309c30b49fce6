"""What a program meets first: who it is, and how it is refused."""

from __future__ import annotations

from django.test import Client

from tests.factories import Cast
from tests.unit.api.conftest import Caller, as_machine, as_program


def test_the_token_says_who_it_speaks_for(cast: Cast) -> None:
    said = as_program(cast.lead, "read", "request").get("/me").json()

    assert said["username"] == "lea"
    assert said["scopes"] == ["read", "request"]
    assert said["repositories"] == []


def test_a_machine_says_which_repositories_it_is_for(cast: Cast) -> None:
    said = as_machine(cast).get("/me").json()

    assert said["is_machine"] is True
    assert said["repositories"] == [cast.repository.gun]


def test_nobody_gets_a_challenge_and_no_more(cast: Cast) -> None:
    answer = Client().get("/api/v1/accounts")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"
    assert answer.json()["request_id"] == answer["X-Request-Id"]


def test_every_list_can_be_read_by_the_administrator(cast: Cast) -> None:
    call = as_program(cast.admin)
    schema = call.get("/openapi.json").json()
    lists = [path for path, methods in schema["paths"].items() if "get" in methods and "{" not in path]

    assert len(lists) > 10
    for path in lists:
        answer = call.get(path.removeprefix("/api/v1"))
        assert answer.status_code == 200, (path, getattr(answer, "content", b"")[:400])


def test_what_is_not_yours_is_not_there(cast: Cast) -> None:
    call = as_program(cast.outsider)
    unknown = call.get("/repositories/registry.test/no/such")
    foreign = call.get(f"/repositories/{cast.repository.gun}")

    assert (unknown.status_code, foreign.status_code) == (404, 404)
    assert unknown.json() | {"request_id": ""} == foreign.json() | {"request_id": ""}


def test_an_unknown_address_a_wrong_method_and_broken_json_are_problems_too(cast: Cast) -> None:
    call = as_program(cast.admin)

    assert call.get("/no/such").json()["code"] == "not_found"
    wrong_method = call("DELETE", "/me")
    assert (wrong_method.json()["code"], wrong_method["Allow"]) == ("method_not_allowed", "GET")
    raw = Client().post(
        "/api/v1/accounts",
        b"{broken",
        content_type="application/json",
        headers={"Authorization": f"Bearer {call.raw}"},
    )
    assert (raw.status_code, raw.json()["code"]) == (400, "bad_request")
    form = Client().post("/api/v1/accounts", {"name": "x"}, headers={"Authorization": f"Bearer {call.raw}"})
    assert form.json()["code"] == "unsupported_media_type"
    assert call.post("/accounts", {"name": "x" * 300_000}).json()["code"] == "request_too_large"


def test_wrong_members_are_named_without_their_values(cast: Cast) -> None:
    answer = as_program(cast.admin).post(
        "/keys/generate", {"account": "team", "passphrase": "short", "is_superuser": True}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {"passphrase", "is_superuser"}
    assert "short" not in answer.content.decode()


def test_a_caller_keeps_its_own_request_id_if_it_is_harmless(cast: Cast) -> None:
    call = as_program(cast.admin)

    assert call.get("/me", **{"X-Request-Id": "build-4711.2"})["X-Request-Id"] == "build-4711.2"
    assert len(call.get("/me", **{"X-Request-Id": "two words\r\n"})["X-Request-Id"]) == 32


def test_the_request_id_stands_in_the_audit_event(cast: Cast) -> None:
    call = as_program(cast.admin)
    call.post(f"/repositories/{cast.repository.gun}/-/check", **{"X-Request-Id": "build-4711.2"})
    (event,) = call.get("/audit?action=check_repository").json()["items"]

    assert event["correlation"] == "build-4711.2"


def test_lists_are_given_in_parts(cast: Cast) -> None:
    call = as_program(cast.admin)
    answer = call.get("/accounts?limit=1&q=x")

    assert answer.json()["total"] == 2
    assert len(answer.json()["items"]) == 1
    assert 'limit=1&offset=1>; rel="next"' in answer["Link"]
    last = call.get("/accounts?limit=1&offset=1")
    assert 'offset=0>; rel="prev"' in last["Link"]
    assert "next" not in last["Link"]


__all__ = ("Caller",)
