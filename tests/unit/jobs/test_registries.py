"""What registries show beside what is signed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from signing import jobs
from signing.adapters.manifest import Manifest
from signing.errors import RegistryUnreachable
from signing.models import Alert, AuditEvent, Event, Happening, Repository, SignedTag, UnsignedTag
from signing.services.repositories import check_now
from tests.factories import DIGEST
from tests.unit.jobs.test_refresh import sign

OTHER = "ab" * 32
LIST = "application/vnd.oci.image.index.v1+json"


@pytest.fixture
def signed(approved):
    sign(approved)
    approved.registry.tags[approved.path, "1.0"] = f"sha256:{DIGEST}"
    return approved


def look(world) -> None:
    Repository.objects.update(next_registry_check_at=None)
    jobs.check_registries()
    world.cast.repository.refresh_from_db()


def push(world, tag: str, digest: str) -> None:
    world.registry.tags[world.path, tag] = f"sha256:{digest}"


def open_alerts() -> list[tuple[str, str]]:
    return sorted(Alert.objects.filter(cleared_at=None).values_list("kind", "tag"))


def test_what_the_registry_shows_is_what_was_signed(signed) -> None:
    look(signed)
    row = SignedTag.objects.get()
    assert (row.verdict, row.registry_digest) == ("verified", DIGEST)
    assert row.registry_checked_at
    assert signed.cast.repository.registry_checked_at
    assert open_alerts() == []


def test_an_unsigned_push_over_a_signed_tag_is_drift_and_clears_once_it_is_signed(signed) -> None:
    look(signed)
    version = signed.cast.repository.state_version
    push(signed, "1.0", OTHER)
    look(signed)
    row = SignedTag.objects.get()
    assert (row.verdict, row.reason_code, row.registry_digest) == ("drifted", "registry_differs", OTHER)
    assert signed.cast.repository.state_version > version
    assert open_alerts() == []  # it may just be on its way to be signed
    assert signed.cast.repository.next_registry_check_at < timezone.now() + timedelta(seconds=21)
    look(signed)
    look(signed)
    assert open_alerts() == [("drifted", "1.0")]
    assert AuditEvent.objects.filter(action="alert_raised").count() == 1
    assert Happening.objects.filter(event=Event.DRIFT).count() == 1
    sign(signed, "1.0", OTHER)
    assert open_alerts() == []
    row = SignedTag.objects.get()
    assert (row.verdict, row.digest, row.registry_digest) == ("verified", OTHER, OTHER)
    assert Happening.objects.filter(event=Event.CLEARED).count() == 1


def test_pushing_the_signed_image_again_clears_it_too(signed) -> None:
    push(signed, "1.0", OTHER)
    for _ in range(2):
        look(signed)
    push(signed, "1.0", DIGEST)
    look(signed)
    assert SignedTag.objects.get().verdict == "verified"
    assert open_alerts() == []


def test_what_nobody_signed_is_listed_and_goes_again(signed) -> None:
    push(signed, "dev", OTHER)
    push(signed, "trustui-staging", OTHER)
    push(signed, f"sha256-{OTHER}.sig", OTHER)
    look(signed)
    assert list(UnsignedTag.objects.values_list("tag", "digest")) == [("dev", OTHER)]
    sign(signed, "dev", OTHER)
    look(signed)
    assert not UnsignedTag.objects.exists()


def test_a_registry_that_does_not_answer_changes_no_verdict_and_says_why(signed) -> None:
    look(signed)
    before = signed.cast.repository
    signed.registry.fails["list"] = RegistryUnreachable("Nothing answers.")
    for _ in range(4):
        look(signed)
    after = signed.cast.repository
    assert (after.registry_reason, after.registry_checked_at) == ("Nothing answers.", before.registry_checked_at)
    assert SignedTag.objects.get().verdict == "verified"
    del signed.registry.fails["list"]
    look(signed)
    assert signed.cast.repository.registry_reason == ""


def test_a_silent_registry_is_one_alert_of_its_account(signed, time_machine) -> None:
    signed.registry.fails["list"] = RegistryUnreachable("Nothing answers.")
    for _ in range(4):
        look(signed)
        time_machine.move_to(timezone.now() + timedelta(minutes=5))
    [alert] = Alert.objects.all()
    assert (alert.kind, alert.account, alert.repository) == ("unreachable", signed.cast.account, None)
    del signed.registry.fails["list"]
    look(signed)
    assert open_alerts() == []


def test_a_list_of_platforms_says_which_are_signed(signed) -> None:
    entries = [
        {"digest": f"sha256:{digest}", "platform": {"os": "linux", "architecture": name}}
        for name, digest in (("amd64", DIGEST), ("arm64", OTHER))
    ]
    data = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    manifest = Manifest.__new__(Manifest)
    digest = "cd" * 32
    object.__setattr__(manifest, "digest", f"sha256:{digest}")
    object.__setattr__(manifest, "media_type", LIST)
    object.__setattr__(manifest, "data", data)
    signed.registry.manifests[signed.path, f"sha256:{digest}"] = manifest
    sign(signed, "multi", digest)
    push(signed, "multi", digest)
    look(signed)
    row = SignedTag.objects.get(tag="multi")
    assert [(one["platform"], one["signed"]) for one in row.platforms] == [
        ("linux/amd64", True),
        ("linux/arm64", False),
    ]
    sign(signed, "arm", OTHER)
    look(signed)
    assert all(one["signed"] for one in SignedTag.objects.get(tag="multi").platforms)


def test_check_now_asks_the_registry_too(signed) -> None:
    push(signed, "1.0", OTHER)
    operation = signed.run(check_now(actor=signed.cast.developer, repository=signed.cast.repository))
    assert operation.state == "done"
    assert operation.done_steps == ["refresh", "check_registry"]
    assert operation.result["registry"] == {"asked": 1, "drifted": 1, "unsigned": 0}
    assert SignedTag.objects.get().verdict == "drifted"


def test_check_now_ends_well_where_the_registry_is_away(signed) -> None:
    signed.registry.fails["list"] = RegistryUnreachable("Nothing answers.")
    operation = signed.run(check_now(actor=signed.cast.developer, repository=signed.cast.repository))
    assert (operation.state, operation.result["registry"]) == ("done", "registry_unreachable")
