"""Leavers: out at once, their signers flagged, and the removals asked for."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from signing.errors import NotAllowed
from signing.models import AuditEvent, ChangeRequest, Identity, Membership, User
from signing.services.directories import apply_groups, create_linked, link, person_of, vouch
from signing.services.leavers import shut_out
from signing.services.people import deactivate_person
from signing.services.requests import request_signer_removal
from tests.factories import Cast, make_account, make_cast, make_repository, make_signer

WHY = "alice left: unknown to LDAP."


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def identity(cast: Cast) -> Identity:
    return link(cast.signer, source="ldap", subject="alice")


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("number").values_list("action", flat=True))


def removals() -> list[ChangeRequest]:
    return list(ChangeRequest.objects.filter(kind=ChangeRequest.Kind.REMOVE_SIGNER))


def test_deactivating_somebody_flags_their_signers_and_asks_for_the_removals(cast: Cast) -> None:
    idle = make_signer(make_account("third"), "alice-too", user=cast.signer)  # trusted nowhere: nothing to remove
    deactivate_person(actor=cast.admin, person=cast.signer)
    for signer in (cast.alice, idle):
        signer.refresh_from_db()
        assert signer.flag == "alice left: deactivated."
    (asked,) = removals()
    assert (asked.requested_by, asked.signer, asked.reason) == (None, cast.alice, "alice left: deactivated.")
    assert actions() == ["request_signer_removal", "deactivate_person"]
    assert AuditEvent.objects.latest("number").detail["flagged_signers"] == ["team/alice", "third/alice-too"]


def test_a_removal_that_is_asked_for_already_is_left_as_it_is(cast: Cast) -> None:
    asked = request_signer_removal(
        actor=cast.lead, signer=cast.alice, repositories=[cast.repository], reason="moves to another team"
    )
    deactivate_person(actor=cast.admin, person=cast.signer)
    assert removals() == [asked]


def test_signers_of_others_are_left_alone(cast: Cast) -> None:
    deactivate_person(actor=cast.admin, person=cast.developer)
    cast.alice.refresh_from_db()
    assert cast.alice.flag == ""
    assert removals() == []


def test_who_is_gone_is_shut_out_once(cast: Cast, identity: Identity) -> None:
    assert shut_out(identity, why=WHY)
    assert not shut_out(identity, why=WHY)
    assert actions() == ["link_identity", "request_signer_removal", "deactivate_person"]
    assert AuditEvent.objects.latest("number").reason == WHY


def test_who_signed_in_since_the_directory_was_asked_is_not_shut_out(cast: Cast, identity: Identity) -> None:
    seen = Identity.objects.get(pk=identity.pk)
    vouch(cast.signer, token="a newer one")
    assert not shut_out(seen, why=WHY)
    cast.signer.refresh_from_db()
    assert cast.signer.is_active


def test_nothing_changes_where_the_event_cannot_be_written(
    cast: Cast, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("the log is full")

    monkeypatch.setattr("signing.services.leavers.audit.record", fail)
    with pytest.raises(OSError, match="the log is full"):
        shut_out(identity, why=WHY)
    cast.signer.refresh_from_db()
    assert cast.signer.is_active
    assert Identity.objects.get().gone_at is None


# Groups


def test_the_strongest_role_of_all_groups_counts(cast: Cast, settings: Settings) -> None:
    settings.GROUP_ROLES = {"a": {"team": "auditor"}, "b": {"team": "signer"}, "c": {"team": "developer"}}
    apply_groups(cast.outsider, ["a", "b", "c"])
    assert cast.outsider.memberships.get(account=cast.account).role == "signer"
    before = AuditEvent.objects.count()
    apply_groups(cast.outsider, ["c", "b"])
    assert AuditEvent.objects.count() == before  # nothing changed, nothing to tell


def test_groups_touch_nothing_that_they_are_not_asked_about(cast: Cast, settings: Settings) -> None:
    settings.GROUP_ROLES = {"staff": {"team": "developer"}}
    repository = make_repository(cast.account, "other")
    Membership.objects.create(account=cast.account, user=cast.outsider, repository=repository, role="signer")
    apply_groups(cast.outsider, [])
    kept = {(m.account.name, m.role) for m in cast.outsider.memberships.select_related("account")}
    assert kept == {("other", "lead"), ("team", "signer")}


def test_a_name_that_cannot_be_one_makes_nobody(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_linked(source="oidc", subject="x", username="a b/c", full_name="", email="")
    assert person_of("oidc", "x") is None
    assert not User.objects.filter(username__startswith="a b").exists()
