"""A passkey's word for one decision: for this person, this request, this content, once, soon."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.core import context
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client, RequestFactory
from django.utils import timezone

from signing import step_up
from signing.errors import StepUpRefused
from signing.models import ChangeRequest, User
from tests.factories import Cast, make_cast, make_request
from tests.parts.passkeys import SoftPasskey

CONTENT = "ab" * 32


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    """Stand where a request to http://localhost stands."""
    cache.clear()
    request = RequestFactory(headers={"host": "localhost"}).get("/")
    request.session = SessionStore()
    with context.request_context(request):
        yield


@pytest.fixture
def passkey_of(db: None) -> Callable[[User], SoftPasskey]:
    def make(user: User) -> SoftPasskey:
        made = SoftPasskey()
        WebAuthn.add(user, "blue key", made.create(_plain(auth.begin_registration(user, True))))
        return made

    return make


@pytest.fixture
def asked(cast: Cast) -> ChangeRequest:
    return make_request(cast.alice, [cast.repository], cast.signer)


def _plain(options: Any) -> dict[str, Any]:
    """Send options through JSON, as they reach a browser."""
    read: dict[str, Any] = json.loads(json.dumps(options, cls=DjangoJSONEncoder))
    return read


def answered(passkey: SoftPasskey, user: User, asked: ChangeRequest, content: str = CONTENT) -> dict[str, Any]:
    return passkey.get(_plain(step_up.begin(user, asked, content)))


def test_it_proves_exactly_what_was_asked(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    passkey = passkey_of(cast.lead)
    proof = step_up.verify(cast.lead, asked, CONTENT, answered(passkey, cast.lead, asked))
    assert proof.passkey == "blue key"
    assert proof.proves(cast.lead, asked, CONTENT)
    other = make_request(cast.alice, [cast.repository], cast.signer)
    assert not proof.proves(cast.other_lead, asked, CONTENT)
    assert not proof.proves(cast.lead, other, CONTENT)
    assert not proof.proves(cast.lead, asked, "cd" * 32)


def test_an_answer_counts_once(cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]) -> None:
    answer = answered(passkey_of(cast.lead), cast.lead, asked)
    step_up.verify(cast.lead, asked, CONTENT, answer)
    with pytest.raises(StepUpRefused, match="used before"):
        step_up.verify(cast.lead, asked, CONTENT, answer)


def test_an_answer_is_for_one_content(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    """An edit of the request voids it, and using it up for the edited one leaves nothing."""
    answer = answered(passkey_of(cast.lead), cast.lead, asked)
    with pytest.raises(StepUpRefused, match="something else"):
        step_up.verify(cast.lead, asked, "cd" * 32, answer)
    with pytest.raises(StepUpRefused, match="used before"):
        step_up.verify(cast.lead, asked, CONTENT, answer)


def test_an_answer_is_for_one_request(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    twin = make_request(cast.alice, [cast.repository], cast.signer)
    answer = answered(passkey_of(cast.lead), cast.lead, asked)
    with pytest.raises(StepUpRefused, match="something else"):
        step_up.verify(cast.lead, twin, CONTENT, answer)


def test_an_answer_is_one_persons(cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]) -> None:
    passkey_of(cast.other_lead)
    answer = answered(passkey_of(cast.lead), cast.lead, asked)
    with pytest.raises(StepUpRefused):
        step_up.verify(cast.other_lead, asked, CONTENT, answer)


def test_an_answer_comes_soon(cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]) -> None:
    answer = answered(passkey_of(cast.lead), cast.lead, asked)
    with (
        time_machine.travel(timezone.now() + timedelta(seconds=step_up.LIFETIME + 1)),
        pytest.raises(StepUpRefused, match="too old"),
    ):
        step_up.verify(cast.lead, asked, CONTENT, answer)


def test_another_passkey_proves_nothing(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    foreign = passkey_of(cast.other_lead)
    passkey_of(cast.lead)
    with pytest.raises(StepUpRefused, match="not the answer of one of your passkeys"):
        step_up.verify(cast.lead, asked, CONTENT, answered(foreign, cast.lead, asked))


@pytest.mark.parametrize("flaw", ["key", "origin", "site", "unverified", "signature"])
def test_a_forged_answer_proves_nothing(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey], flaw: str
) -> None:
    passkey = passkey_of(cast.lead)
    if flaw == "key":
        passkey.key = SoftPasskey().key
    if flaw == "origin":
        passkey.origin = "https://evil.example"
    if flaw == "site":
        passkey.rp_id = "evil.example"
    passkey.verifies = flaw != "unverified"  # somebody touched it, and nobody knows who
    answer = answered(passkey, cast.lead, asked)
    if flaw == "signature":
        answer = copy.deepcopy(answer)
        answer["response"]["signature"] = answer["response"]["authenticatorData"]
    with pytest.raises(StepUpRefused):
        step_up.verify(cast.lead, asked, CONTENT, answer)


def test_the_answer_of_signing_in_proves_nothing(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    passkey = passkey_of(cast.lead)
    answer = passkey.get(_plain(auth.begin_authentication(cast.lead)))
    with pytest.raises(StepUpRefused):
        step_up.verify(cast.lead, asked, CONTENT, answer)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "x", "[" * 9000, '{"rawId": 1}', '{"response": []}'])
def test_nonsense_proves_nothing(cast: Cast, asked: ChangeRequest, text: str) -> None:
    with pytest.raises(StepUpRefused):
        step_up.verify(cast.lead, asked, CONTENT, step_up.read_answer(text))


def test_without_a_passkey_there_is_nothing_to_begin(cast: Cast, asked: ChangeRequest) -> None:
    assert not step_up.has_passkey(cast.lead)
    with pytest.raises(StepUpRefused, match="no passkey yet"):
        step_up.begin(cast.lead, asked, CONTENT)


def test_the_page_gives_a_challenge_to_those_who_see_the_request(
    cast: Cast, asked: ChangeRequest, passkey_of: Callable[[User], SoftPasskey]
) -> None:
    passkey = passkey_of(cast.lead)
    client = Client(headers={"host": "localhost"})
    url = f"/requests/{asked.pk}/step-up/"
    assert client.get(url).status_code == 302
    client.force_login(cast.outsider)
    assert client.get(url).status_code == 404
    client.force_login(cast.other_lead)
    assert client.get(url).json()["problem"].startswith("You have no passkey yet.")
    client.force_login(cast.lead)
    answer = client.get(url)
    assert "no-store" in answer["Cache-Control"]
    given = passkey.get(answer.json()["request_options"])
    assert step_up.verify(cast.lead, asked, asked.content_hash, given).proves(cast.lead, asked, asked.content_hash)
