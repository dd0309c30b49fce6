"""Every role at every address there is."""

from __future__ import annotations

import pytest

from signing.models import AuditEvent
from tests.unit.matrix.acts import ACTS
from tests.unit.matrix.addresses import Address, admin, calls, everything, pages
from tests.unit.matrix.sending import is_let_in, send, undone
from tests.unit.matrix.table import ELSEWHERE, LINES, MACHINE
from tests.unit.matrix.world import ROLES, World

pytestmark = pytest.mark.django_db


def test_every_address_has_a_line() -> None:
    names = {address.name for address in everything()} - ELSEWHERE
    assert names - LINES.keys() == set(), "say in table.py who may do that"
    assert LINES.keys() - names == set(), "these are gone"


def asked(address: Address) -> list[tuple[str, frozenset[str] | None]]:
    """List the methods to try at an address, and who may."""
    line = LINES.get(address.name)
    if line is None:
        return []
    if address.method:
        return [(address.method, line.get)]
    return [("GET", line.get), ("POST", line.post)]


def is_judged_by_answer(address: Address, method: str) -> bool:
    """Tell whether the answer says who may; where an example input does something, its audit event does."""
    act = ACTS.get(address.name)
    return method == "GET" or act is None or bool(act.because)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", [pages, calls], ids=["pages", "api"])
def test_each_role_is_let_in_where_the_table_says_so_and_nowhere_else(world: World, role: str, kind: object) -> None:
    wrong = []
    for address in kind():  # type: ignore[operator]
        for method, may in asked(address):
            with undone():
                before = AuditEvent.objects.count()
                response = send(world, role, address, method)
                is_done = AuditEvent.objects.count() > before
            if may is None:
                is_done = response.status_code not in (302, 405)  # a stranger is sent to sign in first
            elif is_judged_by_answer(address, method):
                is_done = is_let_in(response)
            if is_done != (may is not None and role in may):
                wrong.append(f"{role} {method} {address.name}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def test_a_machine_account_reads_and_asks_and_nothing_else(world: World) -> None:
    let_in = set()
    for address in calls():
        method = address.method or ""
        with undone():
            before = AuditEvent.objects.count()
            response = send(world, "stranger", address, method, token=world.machine_token)
            is_done = AuditEvent.objects.count() > before
        if is_let_in(response) if is_judged_by_answer(address, method) else is_done:
            let_in.add(address.name.removeprefix("api:"))
    assert let_in == MACHINE


def test_a_machine_account_reads_no_keys(world: World) -> None:
    (index,) = [address for address in calls() if address.name == "api:keys_index"]
    assert send(world, "stranger", index, "GET", token=world.machine_token).json()["total"] == 0


@pytest.mark.parametrize("role", [role for role in ROLES if role != "admin"])
def test_the_operators_admin_is_for_administrators_alone(world: World, role: str) -> None:
    client = world.clients[role]
    for address in admin():
        values = {name: "signing" if name == "app_label" else "1" for name in address.parameters}
        response = client.get(address.url(values))
        assert response.status_code in (302, 403, 404), address.name
        if response.status_code == 302:
            assert not response.headers["Location"].startswith("/operators/signing"), address.name
