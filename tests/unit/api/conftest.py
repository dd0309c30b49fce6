"""The cast in front of the API: a client per token and per session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.nodeid import coerce_node_id
from django.core.cache import cache
from django.test import Client

from signing.models import Repository, User
from signing.services.api_tokens import create_token
from signing.services.machines import create_machine
from tests.factories import Cast, make_cast

ALL_SCOPES = ("read", "request", "publish", "approve", "manage")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each address of the description a test id of its own: of equal ids, tests spread by file run one alone."""
    seen: set[str] = set()
    for item in items:
        if item.nodeid in seen:
            # schemathesis leaves it out of the id, and pytest has no public way to say it
            item._id = coerce_node_id(f"{item.nodeid}[{len(seen)}]")
        seen.add(item.nodeid)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Begin with no request counted against any limit."""
    cache.clear()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


class Caller:
    """A program with a token: JSON in, JSON out."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.client = Client(raise_request_exception=True)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.raw}", **headers},
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, {} if body is None else body, **headers)


def token_of(
    user: User, *scopes: str, actor: User | None = None, repositories: Sequence[Repository] = (), days: int = 30
) -> str:
    """Make a token and give its raw text."""
    _, raw = create_token(
        actor=actor or user,
        user=user,
        name="a test",
        scopes=scopes or ALL_SCOPES,
        repositories=repositories,
        days=days,
    )
    return raw


def as_program(user: User, *scopes: str, **fields: Any) -> Caller:
    """Call as this person, through a token of theirs."""
    return Caller(token_of(user, *scopes, **fields))


def as_machine(cast: Cast, *scopes: str, repository: Repository | None = None) -> Caller:
    """Call as a machine account that the cast's lead runs, on the cast's repository or on this one."""
    machine = create_machine(actor=cast.lead, account=cast.account, username="ci")
    places = [repository or cast.repository]
    return Caller(token_of(machine, *(scopes or ("read", "request")), actor=cast.lead, repositories=places))
