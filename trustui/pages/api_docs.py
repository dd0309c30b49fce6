"""What the API takes and answers, to read; `openapi.json` says the same to programs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from trustui.api.calls import Endpoint, curl, endpoints
from trustui.errors import known_problems
from trustui.htmx import HtmxRequest


@dataclass(frozen=True, slots=True)
class Member:
    """One thing an endpoint takes."""

    name: str
    place: str
    kind: str
    is_required: bool
    says: str


@login_required
@require_GET
def show(request: HtmxRequest) -> HttpResponse:
    """List every endpoint and every problem."""
    by_tag = groupby(endpoints().values(), key=lambda endpoint: endpoint.tag)
    context = {
        "stems": [(_title(tag), tag, list(group)) for tag, group in by_tag],
        "problems": known_problems(),
        "first_call": curl(request.build_absolute_uri("/"), "me_show", {}),
    }
    return render(request, "pages/api_docs.html", context)


@login_required
@require_GET
def part(request: HtmxRequest, stem: str) -> HttpResponse:
    """Tell all about the endpoints of one stem."""
    base = request.build_absolute_uri("/")
    found = [(one, _members(one), curl(base, one.name, {})) for one in endpoints().values() if one.tag == stem]
    if not found:
        raise Http404
    return render(request, "pages/api_docs_part.html", {"title": _title(stem), "endpoints": found})


def _title(tag: str) -> str:
    return tag.replace("_", " ").capitalize()


def _members(endpoint: Endpoint) -> list[Member]:
    parameters = [
        Member(
            parameter["name"],
            parameter["in"],
            _kind(parameter["schema"]),
            parameter["required"],
            parameter.get("description", ""),
        )
        for parameter in endpoint.parameters
        if parameter["in"] != "header"
    ]
    members = [
        Member(name, "body", _kind(schema), name in endpoint.required, schema.get("description", ""))
        for name, schema in endpoint.members.items()
    ]
    return parameters + members


def _kind(schema: dict[str, Any]) -> str:
    """Put a schema into a few words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "allOf" in schema or "$ref" in schema:
        return "one of its words"
    if "enum" in schema:
        return ", ".join(str(word) or "nothing" for word in schema["enum"])
    kind = str(schema.get("format") or schema.get("type", "anything"))
    return f"list of {_kind(schema['items'])}" if kind == "array" else kind
