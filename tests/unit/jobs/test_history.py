"""The history of a repository, told from its versions, equals the script of what was done."""

from __future__ import annotations

from django.utils import timezone

from signing import jobs
from signing.models import HistoryEntry, KeptVersion, Repository, SignedTag
from signing.trust.keystore.base import PrivateKey
from signing.trust.tuf.metadata import Target
from tests.factories import DIGEST
from tests.unit.jobs.test_checking import at_home, key_of_alice
from tests.unit.jobs.test_refresh import check, sign

OTHER = "ab" * 32


def tell(world) -> None:
    check(world)
    Repository.objects.update(next_history_at=None)
    jobs.tell_history()
    world.cast.repository.refresh_from_db()


def told() -> list[tuple[str, str, str]]:
    rows = HistoryEntry.objects.order_by("pk")
    return [(row.kind, row.tag or row.detail.get("signer", ""), row.digest[:2]) for row in rows]


def script(world) -> list[tuple[str, str, str]]:
    """Do things as people do them, and give what the history has to tell of it."""
    sign(world, "1.0")
    sign(world, "2.0")
    sign(world, "1.0", OTHER)
    at_home(world, key_of_alice(world)).revoke(["2.0"])
    bob = PrivateKey.generate()
    at_home(world).add_signer("bob", [bob.public])
    at_home(world, bob).sign([Target.from_digest("1.0", OTHER, 528)])
    at_home(world).remove_signer("bob", force=True)
    return [
        ("initialised", "", ""),
        ("signer_added", "alice", ""),
        ("signed", "1.0", "5f"),
        ("signed", "2.0", "5f"),
        ("replaced", "1.0", "ab"),
        ("revoked", "2.0", "5f"),
        ("signer_added", "bob", ""),
        ("signed", "1.0", "ab"),
    ]


def test_it_equals_what_was_done(approved) -> None:
    expected = script(approved)
    tell(approved)
    found = [row for row in told() if row[0] != "renewed"]
    assert found[: len(expected)] == expected
    assert ("signer_removed", "bob", "") in found
    by_tag = HistoryEntry.objects.get(kind="replaced")
    assert (by_tag.was, by_tag.role) == (DIGEST, "targets/alice")
    assert by_tag.detail["key_ids"] == [approved.cast.alice.key.key_id]


def test_it_is_told_on_and_never_twice(approved) -> None:
    sign(approved, "1.0")
    tell(approved)
    first = told()
    tell(approved)
    assert told() == first
    sign(approved, "2.0")
    tell(approved)
    assert told() == [*first, ("signed", "2.0", "5f")]
    row = SignedTag.objects.get(tag="2.0")
    assert row.signed_at
    assert row.signed_at <= timezone.now()


def test_what_was_seen_between_two_checks_asks_the_server_for_nothing(approved) -> None:
    sign(approved, "1.0")
    tell(approved)
    sign(approved, "2.0")
    approved.notary.asked.clear()
    Repository.objects.update(next_history_at=None)
    jobs.tell_history()
    assert approved.notary.asked == []
    assert told()[-1] == ("signed", "2.0", "5f")


def test_every_version_is_kept(approved) -> None:
    script(approved)
    tell(approved)
    repository = approved.cast.repository
    versions = repository.versions.filter(role="timestamp").order_by("version").values_list("version", flat=True)
    assert list(versions) == list(range(1, repository.timestamp_version + 1))
    row = KeptVersion.objects.filter(role="root").get()
    assert bytes(row.data) == approved.notary.said(repository.gun, "root")


def test_versions_that_a_server_lost_leave_the_moment_open(approved) -> None:
    sign(approved, "1.0")
    sign(approved, "2.0")
    gun = approved.cast.repository.gun
    for version in (1, 2):
        approved.notary.files[gun].pop(f"{version}.timestamp.json")
    tell(approved)
    first = HistoryEntry.objects.filter(kind="signed").earliest("pk")
    assert first.detail.get("is_open")
    assert SignedTag.objects.filter(tag="1.0").exists()
