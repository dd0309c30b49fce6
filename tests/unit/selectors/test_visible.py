"""What a person may not see is not there."""

from __future__ import annotations

import pytest

from signing.models import EngineStatus, SignedTag
from signing.selectors import (
    accounts,
    audit,
    engine,
    keys,
    operations,
    overview,
    people,
    repositories,
    requests,
    signers,
)
from signing.selectors import trust_servers as servers
from signing.services.repositories import check_now, create_repository
from tests import factories

pytestmark = pytest.mark.django_db

LISTS = {
    "accounts": accounts.visible_accounts,
    "repositories": repositories.visible_repositories,
    "keys": keys.visible_keys,
    "signers": signers.visible_signers,
    "requests": requests.visible_requests,
    "operations": operations.visible_operations,
    "trust_servers": servers.visible_trust_servers,
}


@pytest.fixture
def cast():
    cast = factories.make_cast()
    cast.foreign.trust_server = factories.make_trust_server("elsewhere")
    cast.foreign.save()
    eve = factories.make_signer(cast.foreign, "eve", user=cast.outsider)
    other = factories.make_repository(cast.foreign, "secret")
    for signer, repository, person in ((cast.alice, cast.repository, cast.signer), (eve, other, cast.outsider)):
        factories.make_request(signer, [repository], person)
        factories.make_operation("refresh", "refresh", repository, requested_by=person)
    return cast


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("person", "expected"),
    [("admin", 2), ("lead", 1), ("signer", 1), ("developer", 1), ("auditor", 1), ("outsider", 1)],
)
def test_each_list_holds_the_persons_own_accounts_only(cast, name, person, expected):
    assert len(LISTS[name](getattr(cast, person))) == expected


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_a_fixed_number_of_queries(cast, name, django_assert_max_num_queries):
    for number in range(5):
        repository = factories.make_repository(cast.account, f"more-{number}")
        signer = factories.make_signer(cast.account, f"s{number}")
        factories.make_request(signer, [repository], cast.signer)
        factories.make_operation("refresh", "refresh", repository)
    with django_assert_max_num_queries(5):
        for row in LISTS[name](cast.lead):
            str(row.__dict__)
            if name == "requests":
                assert [item.repository.gun for item in row.items.all()]
                assert not list(row.decisions.all())
                assert row.signer.account.name == "team"
            if name == "keys":
                assert row.account.name == "team"
                assert row.asks_passphrase


def test_no_list_brings_an_envelope(cast):
    for key in keys.visible_keys(cast.lead):
        assert "envelope" in key.get_deferred_fields()


def test_search_finds_part_of_a_name(cast):
    factories.make_repository(cast.account, "web")
    assert [row.gun for row in repositories.visible_repositories(cast.lead, search=" WE ")] == [
        "registry.test:5000/team/web"
    ]
    assert not repositories.visible_repositories(cast.lead, search="secret")


def test_a_repository_tells_how_many_tags_are_signed(cast):
    for tag in ("1", "2"):
        SignedTag.objects.create(repository=cast.repository, tag=tag, digest="a" * 64, length=1, sort_key=tag)
    assert repositories.visible_repositories(cast.lead).get(pk=cast.repository.pk).tag_count == 2


def test_approved_signers_are_those_whose_very_key_is_trusted(cast):
    factories.make_signer(cast.account, "new", user=cast.signer)
    assert signers.approved_signers(cast.repository) == [cast.alice]
    assert signers.usable_signers(cast.signer, cast.repository) == [cast.alice]
    assert signers.usable_signers(cast.developer, cast.repository) == []
    assert signers.repositories_of(cast.alice) == [cast.repository]


@pytest.mark.parametrize(
    ("gun", "account"),
    [
        ("registry.test:5000/team/app", "team"),
        ("registry.test:5000/team/a/b", "team"),
        ("registry.test:5000/teams/app", None),
        ("registry.test:5000/team", None),
        ("elsewhere.test/team/app", None),
    ],
)
def test_an_image_belongs_to_the_account_of_its_namespace(cast, gun, account):
    found = accounts.account_of_image(gun)
    assert (found.name if found else None) == account


def test_the_more_exact_namespace_wins(cast):
    inner = factories.make_account("inner", namespace="team/inner")
    assert accounts.account_of_image("registry.test:5000/team/inner/x") == inner


def test_the_audit_is_for_leads_and_auditors_and_ones_own_doings(cast):
    create_repository(actor=cast.lead, account=cast.account, path="new")
    check_now(actor=cast.developer, repository=cast.repository)

    def seen(person):
        return sorted(event.action for event in audit.visible_events(getattr(cast, person)))

    both = ["check_repository", "create_repository"]
    assert seen("admin") == seen("lead") == seen("auditor") == both
    assert seen("developer") == ["check_repository"]
    assert seen("signer") == seen("outsider") == []


def test_the_overview_counts_in_few_queries(cast, django_assert_max_num_queries):
    factories.make_key(cast.account, "root")
    with django_assert_max_num_queries(13):
        numbers = overview.overview(cast.lead)
    assert (numbers.accounts, numbers.repositories, numbers.root_keys, numbers.signer_keys) == (1, 1, 1, 1)
    assert (numbers.signers, numbers.open_operations, numbers.failed_operations) == (1, 1, 0)
    assert numbers.verdicts["verified"] == 1
    assert numbers.waiting_for_me == 1
    assert len(numbers.latest) == 1
    assert overview.overview(cast.signer).waiting_for_me == 0
    assert overview.overview(cast.admin).repositories == 2


def test_an_engine_nobody_reported_is_off(cast):
    assert not engine.engine_status().is_available
    EngineStatus.objects.create(is_available=True, version="28.2.2")
    assert engine.engine_status().is_available


def test_an_old_report_counts_as_off(cast, time_machine):
    time_machine.move_to("2026-11-24T12:00Z", tick=False)
    EngineStatus.objects.create(is_available=True, version="28.2.2")
    time_machine.move_to("2026-11-24T12:06Z", tick=False)
    status = engine.engine_status()
    assert not status.is_available
    assert "2026-11-24 12:00" in status.reason


@pytest.mark.parametrize("person", ["lead", "signer", "developer", "auditor", "outsider"])
def test_people_are_listed_for_administrators_only(cast, person):
    assert people.visible_people(cast.admin).count() == 7
    assert not people.visible_people(getattr(cast, person)).exists()


def test_a_person_is_found_by_the_exact_name_and_only_while_active(cast):
    assert people.person_named("dan") == cast.developer
    assert people.person_named("DAN") is None
    cast.developer.is_active = False
    cast.developer.save()
    assert people.person_named("dan") is None
