"""Every act is recorded, exactly once."""

from __future__ import annotations

import pytest

from signing.models import AuditEvent, User
from tests.unit.matrix.acts import ACTS
from tests.unit.matrix.addresses import everything
from tests.unit.matrix.sending import is_let_in, send
from tests.unit.matrix.table import ELSEWHERE, LINES
from tests.unit.matrix.world import World

pytestmark = pytest.mark.django_db

READING = frozenset({"GET", "HEAD"})


def mutating() -> list[str]:
    """List the addresses that change something: endpoints by their method, pages that answer POST."""
    names = []
    for address in everything():
        if address.name in ELSEWHERE or address.name not in LINES:
            continue
        if address.method is not None and address.method not in READING:
            names.append(address.name)
        if address.method is None and LINES[address.name].post is not None:
            names.append(address.name)
    return names


def test_every_mutating_address_has_an_example() -> None:
    assert set(mutating()) - ACTS.keys() == set(), "give an example input in acts.py"
    assert ACTS.keys() - set(mutating()) == set(), "these are gone or change nothing"


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if not act.is_refused])
def test_an_act_is_accepted_and_writes_one_event(world: World, name: str) -> None:
    act = ACTS[name]
    (address,) = [address for address in everything() if address.name == name]
    before = AuditEvent.objects.count()
    response = send(world, act.by, address, address.method or "POST")
    events = list(AuditEvent.objects.order_by("number"))[before:]
    assert is_let_in(response), response.content.decode()[:2000]
    assert response.status_code < 400, response.content.decode()[-3000:]
    assert len(events) == (0 if act.because else 1), [event.action for event in events]
    for event in events:
        assert event.correlation == response.headers["X-Request-Id"]
        if act.by != "stranger":
            assert event.actor == User.objects.get(pk=world.people[act.by].pk)


@pytest.mark.parametrize("name", [name for name, act in ACTS.items() if not act.is_refused and not act.because])
def test_an_act_whose_event_cannot_be_written_is_undone(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = ACTS[name]
    (address,) = [address for address in everything() if address.name == name]
    monkeypatch.setattr("signing.chain.entry_hash", _fails)
    response = send(world, act.by, address, address.method or "POST")
    assert response.status_code == 500


def _fails(entry: object) -> str:
    raise OSError("the log is full")
