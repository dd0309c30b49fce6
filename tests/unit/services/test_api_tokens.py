from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from signing.errors import NotAllowed, TooLate
from signing.models import ApiToken, AuditEvent, Membership
from signing.selectors.api_tokens import visible_tokens
from signing.services.api_tokens import authenticate, create_token, revoke_token
from signing.trust.errors import InvalidInput
from tests.factories import make_repository, make_user


@pytest.fixture
def machine(cast):
    machine = make_user("ci", is_machine=True)
    Membership.objects.create(account=cast.account, user=machine, role="developer")
    return machine


def make(cast, person, **changes):
    given = {"actor": person, "user": person, "name": "laptop", "scopes": ["read"], "days": 30}
    return create_token(**{**given, **changes})


def test_a_token_is_shown_once_and_only_its_hash_is_kept(cast, one_event):
    with one_event("create_token"):
        token, raw = make(cast, cast.developer)
    assert raw.startswith("trustui_")
    assert len(raw) == len("trustui_") + 43
    kept = str(list(ApiToken.objects.values())) + str(list(AuditEvent.objects.values()))
    assert raw not in kept
    assert raw[len(token.prefix) :] not in kept
    assert authenticate(raw) == token


@pytest.mark.parametrize(
    "raw", ["", "trustui_", "trustui_" + "a" * 43, "trustui_" + "a" * 4300, "a" * 51, "trustui_\0"]
)
def test_what_is_no_token_opens_nothing(cast, raw):
    make(cast, cast.developer)
    assert authenticate(raw) is None


def test_a_token_ends_when_it_is_revoked_expires_or_its_user_leaves(cast, one_event):
    token, raw = make(cast, cast.developer)
    cast.developer.is_active = False
    cast.developer.save()
    assert authenticate(raw) is None
    cast.developer.is_active = True
    cast.developer.save()
    assert authenticate(raw) == token
    ApiToken.objects.update(expires_at=timezone.now())
    assert authenticate(raw) is None
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    with one_event("revoke_token"):
        revoke_token(actor=cast.developer, token=token)
    assert authenticate(raw) is None
    with pytest.raises(TooLate):
        revoke_token(actor=cast.developer, token=token)


def test_a_one_time_password_stops_tokens_until_it_is_replaced(cast):
    _, raw = make(cast, cast.developer)
    cast.developer.must_change_password = True
    cast.developer.save()
    assert authenticate(raw) is None


def test_use_is_noted_once_a_minute_and_writes_no_event(cast):
    token, raw = make(cast, cast.developer)
    events = AuditEvent.objects.count()
    authenticate(raw)
    token.refresh_from_db()
    first = token.last_used_at
    assert first
    authenticate(raw)
    token.refresh_from_db()
    assert token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    authenticate(raw)
    token.refresh_from_db()
    assert token.last_used_at > first
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize(
    "given",
    [
        {"scopes": []},
        {"scopes": ["read", "fly"]},
        {"days": 0},
        {"days": 366},
        {"name": "  "},
        {"name": "n" * 101},
        {"name": "a\u202eb"},
    ],
    ids=str,
)
def test_what_no_token_can_have_is_refused(cast, given):
    with pytest.raises(InvalidInput):
        make(cast, cast.developer, **given)


def test_nobody_makes_a_token_that_speaks_for_another_person(cast):
    for actor in (cast.admin, cast.lead):
        with pytest.raises(NotAllowed):
            make(cast, actor, user=cast.developer)


def test_an_administrator_ends_anybodys_token_and_a_lead_nobodys(cast):
    token, _ = make(cast, cast.developer)
    with pytest.raises(NotAllowed):
        revoke_token(actor=cast.lead, token=token)
    revoke_token(actor=cast.admin, token=token)


def test_repositories_are_those_the_user_sees(cast):
    foreign = make_repository(cast.foreign)
    with pytest.raises(InvalidInput) as refused:
        make(cast, cast.developer, repositories=[cast.repository, foreign])
    assert foreign.gun not in refused.value.message
    token, _ = make(cast, cast.developer, repositories=[cast.repository])
    assert list(token.repositories.all()) == [cast.repository]


def test_a_machines_token_reads_and_asks_on_named_repositories(cast, machine):
    with pytest.raises(InvalidInput, match="only read and ask"):
        make(cast, cast.lead, user=machine, scopes=["read", "publish"], repositories=[cast.repository])
    with pytest.raises(InvalidInput, match="names its repositories"):
        make(cast, cast.lead, user=machine, scopes=["read", "request"])
    token, raw = make(cast, cast.lead, user=machine, scopes=["read", "request"], repositories=[cast.repository])
    assert authenticate(raw) == token


def test_only_who_leads_all_of_a_machines_accounts_makes_its_tokens(cast, machine):
    wanted = {"user": machine, "scopes": ["request"], "repositories": [cast.repository]}
    for person in (cast.signer, cast.developer, cast.auditor, cast.outsider, machine):
        with pytest.raises(NotAllowed):
            make(cast, person, **wanted)
    make(cast, cast.lead, **wanted)
    assert visible_tokens(cast.lead).filter(user=machine).exists()
    Membership.objects.create(account=cast.foreign, user=machine, role="developer")
    with pytest.raises(NotAllowed):
        make(cast, cast.lead, **wanted)
    assert not visible_tokens(cast.lead).filter(user=machine).exists()


def test_a_token_makes_no_token_that_may_do_more(cast):
    _, raw = make(cast, cast.developer, scopes=["read", "manage"], repositories=[], days=10)
    acting = authenticate(raw).user
    token, _ = make(cast, acting, scopes=["read"], days=300)
    assert token.expires_at <= ApiToken.objects.latest("-pk").expires_at
    with pytest.raises(NotAllowed, match="no token that may do more"):
        make(cast, acting, scopes=["publish"])
    _, weak = make(cast, cast.developer, scopes=["read"])
    with pytest.raises(NotAllowed, match="API token"):
        make(cast, authenticate(weak).user)


def test_people_see_their_own_tokens_and_administrators_all(cast, machine):
    mine, raw = make(cast, cast.developer)
    assert list(visible_tokens(cast.developer)) == [mine]
    assert not visible_tokens(cast.lead).exists()
    assert list(visible_tokens(cast.admin)) == [mine]
    make(cast, cast.developer, name="other")
    assert list(visible_tokens(authenticate(raw).user)) == [mine]
