"""Decisions that meet: on PostgreSQL for real (see tests/interop), where two writers of one row wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, connections

from signing.errors import Conflict, NotAllowed
from signing.models import ChangeRequest, Decision, Operation, Policy
from signing.services.requests import approve_request, reject_request, request_signer, retry_request, withdraw_request
from signing.trust.errors import TrustError
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked() -> tuple[factories.Cast, ChangeRequest]:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite in memory has one connection")
    cast = factories.make_cast()
    factories.make_key(cast.account, "root", is_unattended=True)
    repository = factories.make_repository(cast.account, "fresh")
    return cast, request_signer(actor=cast.developer, signer=cast.alice, repositories=[repository])


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do all at the same moment; give what became of each: its class of refusal, or nothing."""
    start, found = threading.Barrier(len(acts)), [""] * len(acts)

    def do(number: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except TrustError as error:
            found[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_approvals_at_once_start_the_work_once(asked) -> None:
    cast, request = asked
    people = (cast.lead, cast.other_lead, cast.admin)
    found = at_once(*(lambda person=person: approve_request(actor=person, request=request) for person in people))
    assert sorted(found) == ["", "TooLate", "TooLate"]
    assert (Operation.objects.count(), Decision.objects.count()) == (1, 1)


def test_one_person_in_two_windows_counts_once(asked) -> None:
    cast, request = asked
    Policy.objects.create(account=cast.account, needed_approvals=2)
    found = at_once(*[lambda: approve_request(actor=cast.lead, request=request)] * 4)
    assert sorted(found) == ["", "TooLate", "TooLate", "TooLate"]
    request.refresh_from_db()
    assert (request.state, Operation.objects.count()) == ("waiting", 0)


def test_the_asker_at_the_same_moment_as_the_approver(asked) -> None:
    cast, _ = asked
    repository = factories.make_repository(cast.account, "own")
    own = request_signer(actor=cast.lead, signer=cast.alice, repositories=[repository])
    Policy.objects.create(account=cast.account, needed_approvals=2)
    found = at_once(
        lambda: approve_request(actor=cast.lead, request=own),
        lambda: approve_request(actor=cast.other_lead, request=own),
    )
    assert found == [NotAllowed.__name__, ""]
    own.refresh_from_db()
    assert own.state == "waiting"


def test_an_approval_and_an_end_of_the_request_at_once(asked) -> None:
    cast, request = asked
    found = at_once(
        lambda: approve_request(actor=cast.lead, request=request),
        lambda: withdraw_request(actor=cast.developer, request=request),
        lambda: reject_request(actor=cast.other_lead, request=request),
    )
    assert sorted(found) == ["", "TooLate", "TooLate"]
    request.refresh_from_db()
    assert (Operation.objects.count() == 1) == (request.state == "approved")


def test_the_rest_of_a_request_is_tried_again_once(asked) -> None:
    cast, request = asked
    approve_request(actor=cast.lead, request=request)
    Operation.objects.update(state="failed")
    found = at_once(*[lambda: retry_request(actor=cast.lead, request=request)] * 3)
    assert sorted(found) == ["", "TooLate", "TooLate"]
    assert Operation.objects.count() == 1


def test_the_same_is_asked_for_twice_at_once(asked) -> None:
    """Whoever comes second is told; where both slip through, the worker finds the second true already."""
    cast, request = asked
    found = at_once(
        *[
            lambda: request_signer(
                actor=cast.developer,
                signer=cast.alice,
                repositories=[item.repository for item in request.items.all()],
            )
        ]
        * 2
    )
    assert found == [Conflict.__name__] * 2
