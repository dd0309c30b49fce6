"""The scheduled check: who is due, what it costs, what it raises and what it clears."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from signing import jobs
from signing.adapters.sealed_keys import SealedKeyStore
from signing.jobs import checking
from signing.models import (
    Alert,
    AuditEvent,
    Event,
    Happening,
    Repository,
    SignedTag,
    TrustedMetadata,
    TrustServer,
    WatchedKey,
)
from signing.trust.errors import ServerUnreachable
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.repository import Repository as TrustRepository
from signing.trust.tuf.metadata import Target
from tests import factories
from tests.factories import DIGEST
from tests.memory_keystore import MemoryKeyStore
from tests.trust_data import SECRETS
from tests.unit.jobs.fakes import BreakableNotary
from tests.unit.jobs.test_refresh import sign

NEW_KEY = PrivateKey.generate()


class TogetherNotary(BreakableNotary):
    """One that gives the timestamps of many repositories at once, as HTTPS does."""

    def get_of_many(self, guns: Sequence[str], name: str, limit: int) -> Iterator[tuple[str, bytes]]:
        for gun in guns:
            if self.fault is None and (data := self.get(gun, name, limit)) is not None:
                yield gun, data


@pytest.fixture
def world(world):
    world.notary = TogetherNotary()
    return world


def all_are_due() -> None:
    Repository.objects.update(next_check_at=None)


def check_all(world) -> None:
    all_are_due()
    jobs.refresh_due()
    world.cast.repository.refresh_from_db()


def raised() -> list[tuple[str, str]]:
    return sorted(Alert.objects.filter(cleared_at=None).values_list("kind", "tag"))


def at_home(world, *keys: PrivateKey) -> TrustRepository:
    """The repository as somebody changes it who has these keys, or all of its keys, without asking anybody here."""
    store = MemoryKeyStore()
    for row in world.cast.account.keys.all() if not keys else ():
        sealed = SealedKeyStore(world.cast.account, [row], {**SECRETS, "repository": "its own words"})
        store.add(sealed.open(row.key_id), row.name, row.gun or None)
    for key in keys or (NEW_KEY,):
        store.add(key, "signer")
    return TrustRepository(Gun.parse(world.cast.repository.gun), world.notary, MemoryCache(), store)


def key_of_alice(world) -> PrivateKey:
    key = world.cast.alice.key
    return SealedKeyStore(world.cast.account, [key], SECRETS).open(key.key_id)


def test_what_is_due_is_checked_longest_waiting_first_and_each_once(world, monkeypatch) -> None:
    monkeypatch.setattr(checking, "BATCH", 2)
    now = timezone.now()
    factories.make_repository(world.cast.account, "later", next_check_at=now + timedelta(minutes=4))
    factories.make_repository(world.cast.account, "old", next_check_at=now - timedelta(minutes=6))
    factories.make_repository(world.cast.account, "older", next_check_at=now - timedelta(minutes=7))
    checking.check_batch()
    checked = Repository.objects.exclude(checked_at=None).values_list("gun", flat=True)
    assert {gun.rpartition("/")[2] for gun in checked} == {"app", "older"}  # never checked first
    jobs.refresh_due()
    jobs.refresh_due()
    assert Repository.objects.filter(checked_at=None).get().gun.endswith("/later")


def test_what_did_not_change_costs_one_question_and_one_write_for_all(approved) -> None:
    sign(approved)
    check_all(approved)
    before = approved.cast.repository
    approved.notary.asked.clear()
    all_are_due()
    with CaptureQueriesContext(connection) as queries:
        jobs.refresh_due()
    assert approved.notary.asked == ["timestamp.json"]
    assert len(queries) <= 14
    after = Repository.objects.get(pk=before.pk)
    assert after.checked_at > before.checked_at
    assert after.verified_at == after.checked_at
    assert after.state_version == before.state_version


def test_what_is_unchanged_is_read_again_once_it_runs_out(approved, time_machine) -> None:
    sign(approved)
    check_all(approved)
    approved.notary.lies["timestamp.json"] = approved.notary.said(approved.cast.repository.gun, "timestamp")
    time_machine.move_to(timezone.now() + timedelta(days=20))
    check_all(approved)
    assert approved.cast.repository.verdict == Repository.Verdict.EXPIRED
    assert SignedTag.objects.get().verdict == "expired"
    assert raised() == [("expired", "")]


def test_a_change_bumps_the_version_of_what_pages_show(approved) -> None:
    sign(approved)
    check_all(approved)
    version = approved.cast.repository.state_version
    sign(approved, "2.0")
    check_all(approved)
    assert approved.cast.repository.state_version > version


def test_a_silent_server_is_asked_once_and_told_of_the_third_time(world, time_machine) -> None:
    for name in ("a", "b", "c"):
        factories.make_repository(world.cast.account, name)
    world.notary.fault = ServerUnreachable("No answer.", next_step="Look.")
    for _ in range(5):
        world.notary.asked.clear()
        check_all(world)
        assert len(world.notary.asked) == 1
        time_machine.move_to(timezone.now() + timedelta(minutes=5))
    assert set(Repository.objects.values_list("verdict", "reason")) == {("unreachable", "No answer.")}
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.trust_server, alert.cleared_at) == ("unreachable", TrustServer.objects.get(), None)
    assert Happening.objects.filter(event=Event.DRIFT).count() == 1
    world.notary.fault = None
    check_all(world)
    check_all(world)
    alert.refresh_from_db()
    assert alert.cleared_at
    assert Happening.objects.filter(event=Event.CLEARED).count() == 1


def test_a_write_of_somebody_who_published_meanwhile_is_not_undone(approved) -> None:
    repository = approved.cast.repository
    caches = checking.caches_of([repository.pk])
    caches[repository.pk].store("timestamp", b"older")
    TrustedMetadata.objects.filter(repository=repository, role="timestamp").update(data=b"newer")
    assert checking.write_all(caches) == set()
    assert bytes(TrustedMetadata.objects.get(repository=repository, role="timestamp").data) == b"newer"


def test_a_signer_added_at_home_is_told_once_and_clears_when_taken_out(approved) -> None:
    sign(approved)
    check_all(approved)
    assert raised() == []
    mallory = PrivateKey.generate()
    at_home(approved).add_signer("mallory", [mallory.public])
    check_all(approved)
    check_all(approved)
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.reason_code) == ("signers", "signer_changed")
    assert "mallory was added" in alert.reason
    assert mallory.key_id[:12] in alert.reason
    assert Happening.objects.filter(event=Event.DRIFT).count() == 1
    assert AuditEvent.objects.filter(action="alert_raised").count() == 1
    at_home(approved).remove_signer("mallory", force=True)
    check_all(approved)
    assert raised() == []
    assert Happening.objects.filter(event=Event.CLEARED).count() == 1
    assert AuditEvent.objects.filter(action="alert_cleared").count() == 1


def test_what_a_stranger_signs_is_never_green(approved) -> None:
    mallory = PrivateKey.generate()
    at_home(approved).add_signer("mallory", [mallory.public])
    at_home(approved, mallory).sign([Target.from_digest("evil", DIGEST, 528)])
    check_all(approved)
    row = SignedTag.objects.get(tag="evil")
    assert (row.verdict, row.reason_code, row.key_ids) == ("unknown_key", "unknown_signer_key", [mallory.key_id])
    assert raised() == [("signers", ""), ("unknown_key", "evil")]


def test_what_we_were_asked_for_is_expected(approved) -> None:
    sign(approved)
    bob = factories.make_signer(approved.cast.account, "bob")
    assert approved.approve(signer=bob).state == "done"
    sign(approved, "2.0")
    check_all(approved)
    assert raised() == []
    assert {row.verdict for row in SignedTag.objects.all()} == {"verified"}


def test_a_signature_that_vanished_is_told_until_it_is_there_again(approved) -> None:
    sign(approved)
    check_all(approved)
    at_home(approved, key_of_alice(approved)).revoke(["1.0"])
    check_all(approved)
    check_all(approved)
    assert raised() == [("unsigned", "1.0")]
    assert not SignedTag.objects.exists()
    sign(approved)
    check_all(approved)
    assert raised() == []


def test_a_watched_key_that_signs_unasked_is_told_to_who_watches(approved) -> None:
    sign(approved)
    check_all(approved)
    alice = approved.cast.alice
    WatchedKey.objects.create(user=approved.cast.signer, key_id=alice.key.key_id)
    sign(approved, "asked")
    check_all(approved)
    assert raised() == []
    at_home(approved, key_of_alice(approved)).sign([Target.from_digest("unasked", DIGEST, 528)])
    check_all(approved)
    check_all(approved)
    assert raised() == [("watched", "unasked")]
    [happening] = Happening.objects.filter(event=Event.WATCHED)
    assert happening.detail["owner"] == approved.cast.signer.pk


def test_a_rotated_root_that_nobody_asked_for_is_told(approved) -> None:
    sign(approved)
    check_all(approved)
    at_home(approved).rotate("root", [NEW_KEY])
    check_all(approved)
    assert raised() == [("root", "")]
    assert approved.cast.repository.verdict == Repository.Verdict.VERIFIED


def test_a_rollback_is_told_and_clears(approved) -> None:
    sign(approved)
    old = approved.notary.state()
    sign(approved, "2.0")
    check_all(approved)
    new = approved.notary.state()
    approved.notary.restore(old)
    check_all(approved)
    assert raised() == [("rollback", "")]
    assert {row.verdict for row in SignedTag.objects.all()} == {"expired"}
    approved.notary.restore(new)
    check_all(approved)
    assert raised() == []
    assert {row.verdict for row in SignedTag.objects.all()} == {"verified"}
