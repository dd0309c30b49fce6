"""The OpenAPI description: what ninja derives from the types, and what is the same for every endpoint."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from trustui.api.idempotency import HEADER
from trustui.errors import PROBLEM_TYPE

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "RFC 9457, with a stable code for programs and a next step for people.",
    "required": ["type", "title", "status", "detail", "code", "next_step", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "next_step": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}
_HEADERS: dict[str, dict[str, Any]] = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    "429": {"Retry-After": {"schema": {"type": "integer"}}},
}
_SAID = {
    "401": "No token that works, and no session.",
    "429": "Too often; wait as long as Retry-After says.",
    "4XX": "Refused; the problem says why.",
    "5XX": "Not done; the problem says why.",
}
_KEY_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Any text that is new for each thing you want done: sent again with the same key it is done once.",
}


class Description(OpenAPISchema):
    """Ninja's, with the problems, headers and keys that all endpoints have in common."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        super().__init__(api, path_prefix)
        self["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Take them; two different ones of one name would silently become one of them in ninja."""
        for name, definition in definitions.items():
            if self.schemas.setdefault(name, definition) != definition:
                raise ImproperlyConfigured(f"Two different things are called {name} in the API's description.")

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        details: dict[str, Any] = super().operation_details(operation)
        details["responses"] = {str(status): answer for status, answer in details["responses"].items()}
        if media_type := getattr(operation.view_func, "media_type", ""):
            details["responses"]["200"]["content"] = {media_type: {"schema": {"type": "string"}}}
        for status, said in _SAID.items():
            content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            details["responses"][status] = {"description": said, "content": content}
            if status in _HEADERS:
                details["responses"][status]["headers"] = _HEADERS[status]
        if "POST" in operation.methods:
            details["parameters"].append(_KEY_PARAMETER)
            if getattr(operation.view_func, "answers_with_a_secret", False):
                details["description"] = (
                    f"{details.get('description', '')}\n\nIts answer holds a secret, which is kept nowhere: repeated"
                    f" with the same {HEADER} it says that it was done, and not the secret again."
                ).strip()
        return details
