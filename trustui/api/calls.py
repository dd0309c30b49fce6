"""Endpoints as `curl` lines with real values, made from the description of the API, which they cannot drift from."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from trustui.api.main import api

AUTHORIZATION = '-H "Authorization: Bearer $TRUSTUI_TOKEN"'


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as the description has it; `members` are those of its body with their schemas."""

    name: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[dict[str, Any], ...]
    members: Mapping[str, dict[str, Any]]
    required: frozenset[str]
    has_body: bool

    def names(self, place: str) -> list[str]:
        """List its parameters in the path, in the query or in the header."""
        return [parameter["name"] for parameter in self.parameters if parameter["in"] == place]


@lru_cache(maxsize=1)
def endpoints() -> dict[str, Endpoint]:
    """Read the description of every endpoint, by name."""
    description = api.get_openapi_schema(path_prefix="/api/v1/")
    schemas = description["components"]["schemas"]
    return {
        details["operationId"]: _read(method.upper(), path, details, schemas)
        for path, methods in description["paths"].items()
        for method, details in methods.items()
    }


def curl(base: str, name: str, given: Mapping[str, Any]) -> str:
    """Write the line that calls an endpoint: what is given goes where it belongs, what is needed besides in capitals.

    `base` is the address of the dashboard; the token is read from the variable TRUSTUI_TOKEN.
    """
    endpoint = endpoints()[name]
    asked = {key: given[key] for key in endpoint.names("query") if key in given}
    url = shlex.quote(address(base, name, given) + (f"?{urlencode(asked)}" if asked else ""))
    words = ["curl --fail-with-body -sS", *_method(endpoint, given), AUTHORIZATION, url]
    return " \\\n  ".join([" ".join(words[:-2]), *words[-2:]])


def address(base: str, name: str, given: Mapping[str, Any]) -> str:
    """Write the address of an endpoint; what is missing in its path stands in capitals."""
    endpoint = endpoints()[name]
    path = endpoint.path
    for parameter in endpoint.names("path"):
        value = str(given[parameter]) if parameter in given else parameter.upper()
        path = path.replace(f"{{{parameter}}}", quote(value, safe="/:@"))
    return base.rstrip("/") + path


def _method(endpoint: Endpoint, given: Mapping[str, Any]) -> list[str]:
    words = [] if endpoint.method == "GET" else [f"-X {endpoint.method}"]
    if not endpoint.has_body:
        return words
    body = {
        name: given.get(name, _placeholder(name, schema))
        for name, schema in endpoint.members.items()
        if name in given or name in endpoint.required
    }
    return [*words, f"--json {shlex.quote(orjson.dumps(body).decode())}"]


def _placeholder(name: str, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer":
        return schema.get("minimum", 1)
    if kind == "array":
        return [name.upper()]
    if kind == "object":
        return {}
    return name.upper()


def _read(method: str, path: str, details: Mapping[str, Any], schemas: Mapping[str, Any]) -> Endpoint:
    body = details.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = schemas[body["$ref"].rpartition("/")[2]] if "$ref" in body else body
    return Endpoint(
        name=details["operationId"],
        method=method,
        path=path,
        tag=details["tags"][0],
        summary=details["summary"],
        description=details.get("description", ""),
        parameters=tuple(details["parameters"]),
        members=schema.get("properties", {}),
        required=frozenset(schema.get("required", ())),
        has_body=bool(body),
    )
