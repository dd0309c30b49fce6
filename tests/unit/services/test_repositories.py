from __future__ import annotations

import pytest

from signing.errors import Conflict, NotAllowed
from signing.models import Operation, Repository
from signing.services.repositories import check_now, create_repository
from signing.trust.errors import InvalidName


def test_a_repository_lies_in_its_accounts_namespace(cast, one_event):
    with one_event("create_repository"):
        repository = create_repository(actor=cast.lead, account=cast.account, path="web/api", description="the API")
    assert repository.gun == "registry.test:5000/team/web/api"
    assert repository.verdict == Repository.Verdict.UNCHECKED
    assert repository.operations.get().kind == "refresh"


@pytest.mark.parametrize(
    "path", ["", "App", "../other/app", "app:1.0", "app@sha256:" + "a" * 64, "a//b", "a b", "/app"]
)
def test_a_path_the_format_forbids_is_refused(cast, path):
    with pytest.raises(InvalidName):
        create_repository(actor=cast.lead, account=cast.account, path=path)


def test_a_repository_is_there_once(cast):
    with pytest.raises(Conflict):
        create_repository(actor=cast.lead, account=cast.account, path="app")


@pytest.mark.parametrize("person", ["signer", "developer", "auditor", "outsider"])
def test_only_leads_add_repositories(cast, person):
    with pytest.raises(NotAllowed):
        create_repository(actor=getattr(cast, person), account=cast.account, path="new")


def test_a_check_is_queued_once_however_often_it_is_asked_for(cast, one_event):
    with one_event("check_repository"):
        first = check_now(actor=cast.developer, repository=cast.repository)
    assert (first.kind, first.step, first.state) == ("refresh", "refresh", "queued")
    with one_event("check_repository"):
        assert check_now(actor=cast.signer, repository=cast.repository) == first
    assert Operation.objects.count() == 1


def test_an_auditor_reads_only(cast):
    with pytest.raises(NotAllowed):
        check_now(actor=cast.auditor, repository=cast.repository)
