"""The description of the API against the API: whatever fits it is answered as it says, whatever does not is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from signing.models import ApiToken, Operation, SignedTag, User, Webhook
from tests.factories import Cast, make_operation, make_request, make_signer
from tests.unit.api.conftest import as_machine, token_of
from trustui.api import limits
from trustui.api.calls import endpoints

EXAMPLES = 4
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


def _schema(**phases: Any) -> Any:
    settings_of_run = schemathesis.Config.from_dict({"phases": phases})
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=settings_of_run)


schema = _schema(coverage={"unexpected-methods": ["trace"]})  # every limit of every member, and random ones
brief = _schema(coverage={"enabled": False})
bounded = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "require_below_limits", lambda request, user: None)
    monkeypatch.setattr("trustui.api.guard.require_below_limits", lambda request, user: None)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's transaction over all requests, as Django's own client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def real(cast: Cast) -> dict[str, Any]:
    """What stands in addresses, for things that are there."""
    signer = make_signer(cast.account, "bob", user=cast.developer)
    request = make_request(signer, [cast.repository], cast.developer)
    make_operation(Operation.Kind.REFRESH, "refresh", cast.repository, requested_by=cast.lead)
    SignedTag.objects.create(repository=cast.repository, tag="1.0", digest="5f" * 32, length=7, sort_key="1.0")
    return {
        "gun": cast.repository.gun,
        "tag": "1.0",
        "key_id": cast.alice.key.key_id,
        "part": "public",
        "username": "dan",
        "number": 1,
        "delivery": 1,
        "act": "freeze",
        "kind": "account",
        "which": cast.account.name,
        "pk": {"signers": signer.pk, "requests": request.pk},
    }


def _at_real_things(case: Any, real: dict[str, Any]) -> None:
    stem = case.operation.path.split("/")[3]
    for name in case.path_parameters or {}:
        if name == "name":
            case.path_parameters[name] = "notary" if stem == "trust-servers" else "team"
        elif name == "pk":
            case.path_parameters[name] = real["pk"].get(stem) or _first(stem)
        else:
            case.path_parameters[name] = real[name]


def _first(stem: str) -> int:
    of_stem: dict[str, Any] = {"operations": Operation, "people": User, "tokens": ApiToken, "webhooks": Webhook}
    row = of_stem[stem].objects.order_by("-pk").first() if stem in of_stem else None
    return row.pk if row else 1


@schema.parametrize()
@bounded
def test_an_administrator_is_answered_as_described(case: Any, cast: Cast) -> None:
    case.call_and_validate(
        headers={"Authorization": f"Bearer {_token(cast)}"},
        checks=[*CHECKS, checks.negative_data_rejection, checks.unsupported_method],
    )


@brief.parametrize()
@bounded
def test_an_administrator_is_answered_as_described_about_what_is_there(
    case: Any, cast: Cast, real: dict[str, Any]
) -> None:
    _at_real_things(case, real)
    case.call_and_validate(headers={"Authorization": f"Bearer {_token(cast)}"}, checks=CHECKS)


@brief.parametrize()
@bounded
def test_a_machine_is_answered_as_described_about_what_is_there(case: Any, cast: Cast, real: dict[str, Any]) -> None:
    _at_real_things(case, real)
    raw = getattr(cast, "machine", None) or as_machine(cast).raw
    cast.machine = raw  # type: ignore[attr-defined]
    case.call_and_validate(headers={"Authorization": f"Bearer {raw}"}, checks=CHECKS)


def test_nobody_is_answered_at_all(cast: Cast) -> None:
    real = {"gun": cast.repository.gun, "tag": "1.0", "key_id": cast.alice.key.key_id, "part": "public", "name": "team"}
    answers = {}
    for endpoint in endpoints().values():
        path = endpoint.path
        for name in endpoint.names("path"):
            path = path.replace(f"{{{name}}}", str(real.get(name, 1)))
        answers[endpoint.name] = Client().generic(endpoint.method, path, b"{}", content_type="application/json")

    assert len(answers) > 80
    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}


def _token(cast: Cast) -> str:
    """Make the administrator's token once for all examples of a test."""
    raw = getattr(cast, "token", None) or token_of(cast.admin)
    cast.token = raw  # type: ignore[attr-defined]
    return raw
