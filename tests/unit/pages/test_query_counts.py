"""Lists cost the same number of queries whether they are short or long."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from signing.models import SignedTag, User
from signing.services.audit import record
from tests.factories import Cast, make_account, make_member, make_operation, make_repository, make_request, make_signer

MOST = 30


def fill(cast: Cast, start: int, count: int) -> None:
    for i in range(start, start + count):
        repository = make_repository(cast.account, f"repo-{i}")
        signer = make_signer(cast.account, f"signer-{i}", user=cast.signer)
        make_request(signer, [repository, cast.repository], cast.signer)
        make_operation("refresh", "refresh", repository, requested_by=cast.lead)
        record(cast.lead, "x", account=cast.account, subject=str(i))
        SignedTag.objects.create(
            repository=cast.repository, tag=str(i), digest="ab" * 32, length=1, signers=["alice"], sort_key=f"{i:04}"
        )
        make_account(f"account-{i}").memberships.create(user=cast.lead, role="auditor")


def queries(client: Client, url: str) -> int:
    client.get(url)  # sessions and content types are warm from here on
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/repositories/",
        "/repositories/registry.test:5000/team/app/",
        "/keys/",
        "/signers/",
        "/requests/",
        "/requests/?show=mine",
        "/operations/",
        "/accounts/team/",
        "/trust-servers/",
        "/audit/",
        "/expiry/",
    ],
)
def test_a_longer_list_costs_no_more_queries(cast: Cast, as_person: Callable[[User], Client], url: str) -> None:
    client = as_person(cast.lead)
    fill(cast, 0, 2)
    few = queries(client, url)
    fill(cast, 2, 6)
    assert queries(client, url) <= few <= MOST


def test_more_people_cost_no_more_queries(cast: Cast, as_person: Callable[[User], Client]) -> None:
    client = as_person(cast.admin)
    few = queries(client, "/people/")
    for i in range(8):
        make_member(make_account(f"account-{i}"), f"person-{i}", "lead")
    assert queries(client, "/people/") <= few <= MOST
