"""The API itself: its endpoints, how it refuses, and the description of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser

from signing.trust.errors import TrustError
from trustui.api import (
    accounts,
    alerts,
    audit,
    expiry,
    freezing,
    health,
    held_keys,
    history,
    inbox,
    key_matcher,
    keys,
    machines,
    me,
    members,
    my_sign_in,
    operations,
    people,
    policies,
    publish,
    repositories,
    request_asking,
    requests,
    rotations,
    signatures,
    signers,
    tokens,
    trust_server_contents,
    trust_server_transfers,
    trust_servers,
    webhooks,
)
from trustui.api.auth import ApiToken, Session
from trustui.api.description import Description
from trustui.api.guard import guarded
from trustui.errors import Refused, problem_of, problem_of_status
from trustui.middleware import problem_answer

STEMS = (
    me,
    inbox,
    my_sign_in,
    accounts,
    members,
    webhooks,
    repositories,
    history,
    alerts,
    publish,
    held_keys,
    keys,
    key_matcher,
    expiry,
    freezing,
    rotations,
    signers,
    requests,
    request_asking,
    policies,
    operations,
    signatures,
    trust_servers,
    trust_server_contents,
    trust_server_transfers,
    people,
    machines,
    tokens,
    audit,
    health,
)


class _Parser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return orjson.loads(request.body)  # strict: no NaN, no half of a surrogate pair


class Api(NinjaAPI):
    """Ninja's, with our names for endpoints and our description."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return name_of(operation)

    def get_operation_url_name(self, operation: Operation, router: Router) -> str:
        return name_of(operation)

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> Description:
        return Description(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)


def name_of(operation: Operation) -> str:
    """Name an endpoint by its stem and its function: `accounts_new` is what the page of that name does."""
    function = operation.view_func
    return f"{function.__module__.rpartition('.')[2]}_{function.__name__}"


def _refuse(request: HttpRequest, error: TrustError | Refused) -> HttpResponse:
    answer = problem_answer(request, problem_of(error))
    if isinstance(error, Refused):
        for name, value in error.headers.items():
            answer.headers[name] = value
    return answer


def _refuse_members(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for found in error.errors:
        errors.setdefault(_member(found["loc"]), []).append(str(found["msg"]).removeprefix("Value error, "))
    return _refuse(request, Refused("invalid_members", errors=errors))


def _member(place: tuple[str | int, ...]) -> str:
    """Name a member as the sender knows it: without where it was found and what we call it."""
    source, *names = place
    if source == "body" and names:
        names = names[1:]
    return ".".join(map(str, names)) or str(source)


def _refuse_by_status(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_answer(request, problem_of_status(error.status_code))


def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem_answer(request, problem_of_status(404))


_HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    TrustError: _refuse,
    Refused: _refuse,
    ValidationError: _refuse_members,
    HttpError: _refuse_by_status,
    Http404: _not_found,
}


def _make() -> Api:
    made = Api(
        title="TrustUI",
        version="1",
        urls_namespace="api",
        auth=[ApiToken(), Session()],
        docs_url=None,
        parser=_Parser(),
        description="Everything the dashboard does, for programs. docs/api.md explains it.",
    )
    for kind, handler in _HANDLERS.items():
        made.add_exception_handler(kind, handler)
    # "view": around the whole of it, reading the body included
    made.add_decorator(guarded(made.on_exception, holds_secret=_holds_secret), mode="view")
    for stem in STEMS:
        made.add_router("", stem.router, tags=[stem.__name__.rpartition(".")[2]])
    return made


def _holds_secret(run: Any) -> bool:
    return bool(getattr(run.__self__.view_func, "answers_with_a_secret", False))


api = _make()
