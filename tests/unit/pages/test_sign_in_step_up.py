"""An approval that the policy wants confirmed by passkey, from the button to the decision."""

from __future__ import annotations

import json

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from signing.models import ChangeRequest, Decision, Policy
from tests.factories import Cast, make_request
from tests.parts.passkeys import SoftPasskey

from .reading import Page
from .test_sign_in_second_factor import add_passkey, confirmed


@pytest.fixture
def asked(cast: Cast) -> ChangeRequest:
    cache.clear()
    Policy.objects.create(account=cast.account, requires_step_up=True, requires_possession=False, needed_approvals=2)
    return make_request(cast.alice, [cast.repository], cast.signer)


def approve(client: Client, asked: ChangeRequest, word: str) -> HttpResponse:
    page = Page(client.get(f"/requests/{asked.pk}/"))
    form = {"content_hash": page.field("content_hash")["value"], "comment": "", "step_up": word}
    return client.post(f"/requests/{asked.pk}/approve/", form)


def word_of(client: Client, passkey: SoftPasskey, asked: ChangeRequest) -> str:
    return json.dumps(passkey.get(client.get(f"/requests/{asked.pk}/step-up/").json()["request_options"]))


def test_without_a_passkey_the_page_leads_to_where_one_is_added(cast: Cast, asked: ChangeRequest) -> None:
    client = confirmed(cast.lead)
    page = Page(client.get(f"/requests/{asked.pk}/"))
    assert "The policy wants a passkey for this." in page.text
    assert page.offers("/me/sign-in/")
    assert approve(client, asked, "").status_code == 403
    assert not Decision.objects.exists()


def test_a_passkeys_word_approves_once_and_nothing_else(cast: Cast, asked: ChangeRequest) -> None:
    client, passkey = confirmed(cast.lead), SoftPasskey()
    add_passkey(client, passkey)
    assert Page(client.get(f"/requests/{asked.pk}/")).all("button", **{"data-passkey-field": "step_up"})
    assert approve(client, asked, "").status_code == 403  # the button alone is not enough

    word = word_of(client, passkey, asked)
    assert approve(client, asked, word).status_code == 302
    decision = Decision.objects.get()
    assert (decision.by, decision.approves, decision.stepped_up) == (cast.lead, True, True)

    twin = make_request(cast.alice, [cast.repository], cast.signer)
    assert approve(client, twin, word).status_code == 403  # used, and for another request
    assert approve(client, twin, "nonsense").status_code == 403
    assert Decision.objects.count() == 1


def test_the_word_of_a_passkey_that_was_removed_meanwhile_is_nothing(cast: Cast, asked: ChangeRequest) -> None:
    client, passkey = confirmed(cast.lead), SoftPasskey()
    add_passkey(client, passkey)
    word = word_of(client, passkey, asked)
    Authenticator.objects.all().delete()
    assert approve(client, asked, word).status_code == 403
    assert not Decision.objects.exists()
