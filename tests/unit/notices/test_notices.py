"""Who is told of what, in which way, and that nothing is told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from signing.announcing import announce
from signing.jobs import notices
from signing.jobs.expiry import announce_expiring
from signing.jobs.notices import send_digests, send_notices
from signing.models import ApiToken, ChangeRequest, Event, Happening, Membership, Notice, User
from signing.recipients import recipients
from signing.services.notices import choose_ways, mark_read
from signing.trust.errors import InvalidInput
from tests import factories
from tests.unit.matrix.certificates import certificate_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> factories.Cast:
    made = factories.make_cast()
    for person in User.objects.all():
        person.email = f"{person.username}@example.com"
        person.save()
    return made


def happen(cast: factories.Cast, event: Event = Event.REQUESTED, **fields: Any) -> Happening:
    fields.setdefault("account", cast.account)
    fields.setdefault("actor", cast.developer)
    return announce(event, subject="Dan asks for alice on app.", path="/requests/1/", **fields)


def names(happening: Happening) -> set[str]:
    return {user.username for user in recipients(happening)}


def test_the_leads_are_told_of_a_request_and_the_one_who_asked_is_not(cast: factories.Cast) -> None:
    assert names(happen(cast)) == {"lea", "lou"}
    assert names(happen(cast, actor=cast.lead)) == {"lou"}


def test_administrators_are_told_where_no_lead_is_left(cast: factories.Cast) -> None:
    Membership.objects.filter(user=cast.other_lead).delete()
    assert names(happen(cast, actor=cast.lead)) == {"root"}


def test_a_role_that_ended_or_a_person_who_left_is_not_told(cast: factories.Cast) -> None:
    Membership.objects.filter(user=cast.lead).update(ends_at=timezone.now() - timedelta(seconds=1))
    User.objects.filter(pk=cast.other_lead.pk).update(is_active=False)
    assert names(happen(cast)) == {"root"}


def test_who_asked_and_the_signer_are_told_of_the_decision(cast: factories.Cast) -> None:
    request = factories.make_request(cast.alice, [cast.repository], cast.developer)
    assert names(happen(cast, Event.APPROVED, actor=cast.lead, request=request)) == {"dan", "alice"}
    assert names(happen(cast, Event.REJECTED, actor=cast.lead, request=request)) == {"dan", "alice"}


def test_the_owner_is_told_when_somebody_elses_work_signs_with_their_key(cast: factories.Cast) -> None:
    assert names(happen(cast, Event.SIGNED, actor=cast.lead, owner=cast.signer.pk)) == {"alice"}
    assert names(happen(cast, Event.SIGNED, actor=cast.signer, owner=cast.signer.pk)) == set()


def test_one_is_told_of_ones_own_failed_work(cast: factories.Cast) -> None:
    assert names(happen(cast, Event.FAILED, owner=cast.developer.pk)) == {"dan"}


def test_leads_and_auditors_are_told_of_drift(cast: factories.Cast) -> None:
    assert names(happen(cast, Event.DRIFT, actor=None, repository=cast.repository)) == {"lea", "lou", "ada"}
    assert names(happen(cast, Event.DRIFT, actor=None, account=None)) == {"root"}


def test_a_lead_of_one_repository_is_told_of_that_one_only(cast: factories.Cast) -> None:
    other = factories.make_repository(cast.account, "other")
    Membership.objects.create(account=cast.account, user=cast.outsider, repository=other, role="lead")
    assert "oscar" in names(happen(cast, Event.DRIFT, actor=None, repository=other))
    assert "oscar" not in names(happen(cast, Event.DRIFT, actor=None, repository=cast.repository))


def test_a_happening_reaches_inbox_and_mail_once(cast: factories.Cast) -> None:
    happen(cast)
    send_notices()
    send_notices()
    assert {notice.user.username for notice in Notice.objects.all()} == {"lea", "lou"}
    assert sorted(message.to[0] for message in mail.outbox) == ["lea@example.com", "lou@example.com"]
    assert mail.outbox[0].subject == "[TrustUI] Dan asks for alice on app."
    assert "https://trust.example.com/requests/1/" in mail.outbox[0].body


def test_a_subject_from_outside_adds_no_header(cast: factories.Cast) -> None:
    announce(
        Event.REQUESTED, subject="evil\r\nBcc: all@example.com", path="/", account=cast.account, actor=cast.developer
    )
    send_notices()
    assert mail.outbox[0].subject == "[TrustUI] evil Bcc: all@example.com"
    assert mail.outbox[0].bcc == []


@pytest.mark.parametrize(
    ("way", "state", "mails"), [("now", "sent", 1), ("digest", "digest", 0), ("inbox", "none", 0), ("off", None, 0)]
)
def test_each_chooses_how_they_hear_of_it(cast: factories.Cast, way: str, state: str | None, mails: int) -> None:
    choose_ways(actor=cast.lead, ways={"requested": way})
    happen(cast, actor=cast.other_lead)
    send_notices()
    assert len(mail.outbox) == mails
    assert Notice.objects.filter(user=cast.lead).values_list("mail", flat=True).first() == state


def test_without_an_address_or_a_mail_server_there_is_the_inbox(cast: factories.Cast, settings: Any) -> None:
    User.objects.filter(pk=cast.lead.pk).update(email="")
    happen(cast)
    send_notices()
    settings.SENDS_MAIL = False
    happen(cast)
    send_notices()
    assert [message.to[0] for message in mail.outbox] == ["lou@example.com"]
    assert Notice.objects.filter(user=cast.lead, mail="none").count() == 2


def test_a_mail_that_fails_is_tried_again_and_then_given_up(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr(notices, "send_mail", refuse)
    choose_ways(actor=cast.other_lead, ways={"requested": "inbox"})
    with time_machine.travel(datetime(2026, 11, 25, 9, tzinfo=UTC), tick=False) as clock:
        happen(cast)
        send_notices()
        assert Notice.objects.get(user=cast.lead).mail == "due"
        for wait in notices.WAITS:
            clock.shift(wait)
            send_notices()
        notice = Notice.objects.get(user=cast.lead)
    assert (notice.mail, notice.attempts) == ("failed", len(notices.WAITS) + 1)


def test_a_digest_gathers_a_day_and_is_sent_once(cast: factories.Cast) -> None:
    choose_ways(actor=cast.lead, ways={"requested": "digest", "drift": "digest"})
    with time_machine.travel(datetime(2026, 11, 25, 9, tzinfo=UTC), tick=False) as clock:
        happen(cast)
        happen(cast, Event.DRIFT, repository=cast.repository)
        send_notices()
        mail.outbox.clear()
        send_digests()
        assert mail.outbox == []
        clock.move_to(datetime(2026, 11, 26, 6, 5, tzinfo=UTC))
        send_digests()
        send_digests()
    [digest] = mail.outbox
    assert digest.to == ["lea@example.com"]
    assert digest.subject == "[TrustUI] 2 things since the last digest"
    assert digest.body.count("https://trust.example.com/requests/1/") == 2


def test_a_person_reads_their_own_notices_only(cast: factories.Cast) -> None:
    happen(cast)
    send_notices()
    theirs = Notice.objects.get(user=cast.other_lead)
    assert mark_read(actor=cast.lead, notices=[theirs.pk]) == 0
    assert mark_read(actor=cast.lead) == 1
    theirs.refresh_from_db()
    assert theirs.read_at is None


@pytest.mark.parametrize("ways", [{"requested": "loudly"}, {"breakfast": "now"}])
def test_an_unknown_choice_is_refused(cast: factories.Cast, ways: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        choose_ways(actor=cast.lead, ways=ways)


def test_each_mark_before_the_end_is_announced_once(cast: factories.Cast) -> None:
    ends = datetime(2027, 11, 25, tzinfo=UTC)
    cast.repository.roles = [
        {"role": "targets", "version": 1, "expires": ends.isoformat(), "threshold": 1, "keys": []},
        {"role": "timestamp", "version": 1, "expires": ends.isoformat(), "threshold": 1, "keys": []},
    ]
    cast.repository.save()
    told = []
    with time_machine.travel(datetime(2026, 11, 25, tzinfo=UTC), tick=False) as clock:
        for _ in range(370):
            announce_expiring()
            told += [
                ((ends - timezone.now()).days, happening.detail["mark"])
                for happening in Happening.objects.filter(event=Event.EXPIRING, spread_at=None)
            ]
            Happening.objects.update(spread_at=timezone.now())
            clock.shift(timedelta(days=1))
    assert told == [(180, 180), (90, 90), (30, 30), (7, 7)]


def test_certificates_tokens_and_roles_that_end_are_announced(cast: factories.Cast) -> None:
    soon = timezone.now() + timedelta(days=5)
    key = cast.alice.key
    key.certificate_expires = soon
    key.save()
    ApiToken.objects.create(
        user=cast.signer, name="ci", prefix="trustui_ab", token_hash="0" * 64, created_by=cast.signer, expires_at=soon
    )
    Membership.objects.filter(user=cast.developer).update(ends_at=soon)
    announce_expiring()
    announce_expiring()
    subjects = sorted(happening.subject for happening in Happening.objects.all())
    assert len(subjects) == 3
    assert subjects[0].startswith("The API token ci of alice expires on ")
    assert subjects[1].startswith("The certificate of the key alice of team expires on ")
    assert subjects[2].startswith("dan is developer of team, which ends on ")


def test_signers_with_an_end_and_authorities_are_announced(cast: factories.Cast) -> None:
    soon = timezone.now() + timedelta(days=365)  # as the certificate
    asked = factories.make_request(cast.alice, [cast.repository], cast.developer, signer_ends_at=soon)
    ChangeRequest.objects.filter(pk=asked.pk).update(state=ChangeRequest.State.APPROVED)
    server = cast.account.trust_server
    server.ca_pem = certificate_of(cast.alice.key.public_pem)
    server.save()
    with time_machine.travel(soon - timedelta(days=5), tick=False):
        announce_expiring()
        announce_expiring()
    happenings = {happening.subject.partition(" on ")[0]: happening for happening in Happening.objects.all()}
    assert set(happenings) == {
        "alice is a signer of team, which ends",
        "The certificate authority of the trust server notary expires",
    }
    assert names(happenings["The certificate authority of the trust server notary expires"]) == {"root"}
    cast.repository.signers = []  # taken out
    cast.repository.save()
    Happening.objects.all().delete()
    with time_machine.travel(soon - timedelta(days=5), tick=False):
        announce_expiring()
    assert len(Happening.objects.all()) == 1
