"""Answers do not tell what exists from what is not yours, at any id, in an address or in what is sent."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Any

import pytest
from django.http import HttpResponse

from tests.unit.matrix.acts import ACTS
from tests.unit.matrix.addresses import Address, everything
from tests.unit.matrix.sending import path_values, send, undone
from tests.unit.matrix.table import BUILTIN, ELSEWHERE, LINES
from tests.unit.matrix.world import World, references, resolved

pytestmark = pytest.mark.django_db

PERSONS = ("lead", "developer")
NAMELESS = frozenset({"part", "form", "provider_id", "uidb36", "key", "tag", "act", "kind"})  # no ids of rows
OPEN = frozenset({"account_reset_password_from_key"})


def told(response: HttpResponse, things: dict[str, Any]) -> tuple[int, str]:
    """Take what an answer says, without what was sent and what is another in every answer."""
    text = response.headers.get("Location", "") + response.content.decode(errors="replace")
    text = text.replace(response.headers["X-Request-Id"], "…")
    for value in sorted({str(value) for value in things.values()}, key=len, reverse=True):
        if len(value) > 4:
            text = text.replace(value, "…")
    text = re.sub(r'(csrfmiddlewaretoken" value="|nonce="|request_id":\s*")[^"]*', r"\1…", text)
    text = re.sub(r"/\d+(?=[/\"?])", "/…", text)
    return response.status_code, text


def difference(one: tuple[int, str], other: tuple[int, str]) -> str:
    lines = unified_diff(one[1].splitlines(), other[1].splitlines(), str(one[0]), str(other[0]), lineterm="", n=0)
    return "\n".join(lines)[:2000]


OWN_LIST = {"api:alerts_unwatch", "watched_key_remove"}  # of oneself: what is not on it is off it already


def has_ids(address: Address) -> bool:
    return bool(set(address.parameters) - NAMELESS) and address.name not in OPEN | ELSEWHERE | OWN_LIST


@pytest.mark.parametrize("person", PERSONS)
def test_a_foreign_id_in_an_address_is_as_unknown_as_one_that_never_was(world: World, person: str) -> None:
    wrong = []
    for address in filter(has_ids, everything()):
        for method in [address.method] if address.method else ["GET", "POST"]:
            answers = []
            for things in (world.foreign, world.unknown):
                with undone():
                    act = ACTS.get(address.name)
                    data = resolved(act.data, world.own) if act else None
                    mine = {**things, "account": things["account"]}
                    answers.append(told(send(world, person, address, method, mine, data=data), things))
            line = LINES[address.name]
            is_missing = (method == "GET" and line.get is None) or (
                method == "POST" and not address.method and not line.post
            )
            if answers[0] != answers[1] or (
                answers[0][0] not in (302, 404) and not is_missing and address.name not in BUILTIN
            ):
                wrong.append(f"{method} {address.name}: {answers[0][0]} {answers[1][0]}")
    assert not wrong, "\n".join(wrong)


NAMING = [
    name for name, act in ACTS.items() if act.by != "admin" and references(act.data)
]  # to an administrator all is theirs


@pytest.mark.parametrize("name", NAMING)
def test_a_foreign_id_in_what_is_sent_is_as_unknown_as_one_that_never_was(world: World, name: str) -> None:
    (address,) = [address for address in everything() if address.name == name]
    act = ACTS[name]
    for thing in references(act.data) - {"username", "certificate", "trust_server", "trust_server_pk"}:
        answers = []
        for others in (world.foreign, world.unknown):
            data = resolved(act.data, world.own, others, thing)
            with undone():
                response = send(world, act.by, address, address.method or "POST", data=data)
            answers.append(told(response, others))
        assert answers[0] == answers[1], difference(*answers)
        assert answers[0][0] in (400, 404, 409, 422), (thing, answers[0][0])
    assert path_values(address, world.own, act) is not None
