"""Send one request as somebody, and take back whatever it did."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.unit.matrix.acts import ACTS, Act
from tests.unit.matrix.addresses import Address
from tests.unit.matrix.world import World, resolved
from trustui.api.calls import endpoints

SIGN_IN = "/me/login/"
NO_ACT = Act("lead")


@contextmanager
def undone() -> Iterator[None]:
    """Leave no trace of what happens inside."""
    cache.clear()  # limits that count how often
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def path_values(address: Address, things: dict[str, Any], act: Act = NO_ACT) -> dict[str, Any]:
    """Find the value of every parameter in the path."""
    named = {parameter: _value(address, parameter, things) for parameter in address.parameters}
    return {**named, **resolved({k: v for k, v in act.path.items() if k in named}, things)}


def _value(address: Address, parameter: str, things: dict[str, Any]) -> Any:
    constant = {"provider_id": "none", "uidb36": "1", "key": "a-b"}
    if parameter in constant and address.thing != "key":
        return constant[parameter]
    if parameter in ("pk", "name"):
        return things[address.thing]
    return things["key" if parameter == "key_id" else parameter]


def send(
    world: World,
    role: str,
    address: Address,
    method: str,
    things: dict[str, Any] | None = None,
    *,
    data: dict[str, Any] | None = None,
    token: str = "",
) -> HttpResponse:
    """Send a request as somebody; what changes something brings the example input of its address."""
    things = things or world.own
    act = ACTS.get(address.name, NO_ACT)
    url = address.url(path_values(address, things, act))
    query = resolved(act.query, things) or ({"account": things["account"]} if url.startswith("/new/") else {})
    if query:
        url += f"?{urlencode(query)}"
    client = world.clients[role]
    cookies = copy.deepcopy(client.cookies)  # whoever signs out or in, is back afterwards
    try:
        return _sent(client, address, method, url, act, things, data, token)
    finally:
        client.cookies = cookies


def _sent(
    client: Client,
    address: Address,
    method: str,
    url: str,
    act: Act,
    things: dict[str, Any],
    data: dict[str, Any] | None,
    token: str,
) -> HttpResponse:
    if method == "GET":
        return client.get(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    given = resolved(act.data, things) if data is None else data
    if address.method is None:
        return client.post(url, given)
    return client.generic(
        method,
        url,
        json.dumps(given).encode() if endpoints()[address.name.removeprefix("api:")].has_body else b"",
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )


def is_let_in(response: HttpResponse) -> bool:
    """Tell whether the answer is neither "sign in" nor "forbidden" nor "nothing here"."""
    is_sent_away = response.status_code == 302 and response.headers["Location"].startswith(SIGN_IN)
    return response.status_code not in (401, 403, 404) and not is_sent_away
