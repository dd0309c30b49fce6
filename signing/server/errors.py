"""What the API answers instead of what was asked, in the form and words Notary's clients read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from signing.trust.errors import PublishRejected

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Kind:
    """One of Notary's errors."""

    status: int
    code: str
    message: str


MALFORMED_UPLOAD = Kind(400, "MALFORMED_UPLOAD", "The body of your request is malformed.")
TOO_LARGE = Kind(413, "MALFORMED_UPLOAD", "The body of your request is too large.")
TOO_SLOW = Kind(408, "MALFORMED_UPLOAD", "The body of your request did not arrive in time.")
NO_FILENAME = Kind(400, "NO_FILENAME", "No file/role name provided.")
INVALID_ROLE = Kind(400, "INVALID_ROLE", "The role you are attempting to operate on is invalid.")
MALFORMED_JSON = Kind(400, "MALFORMED_JSON", "JSON sent by the client could not be parsed by the server")
INVALID_UPDATE = Kind(400, "INVALID_UPDATE", "Update sent by the client is invalid.")
VERSION = Kind(400, "VERSION", "A newer version of metadata is already available.")
INVALID_GUN = Kind(400, "INVALID_GUN", "The server does not support actions on images of this name.")
INVALID_PARAMETERS = Kind(400, "INVALID_PARAMETERS", "The parameters provided are not valid.")
UNAUTHORIZED = Kind(401, "UNAUTHORIZED", "authentication required")
METADATA_NOT_FOUND = Kind(404, "METADATA_NOT_FOUND", "You have requested metadata that does not exist.")
BUSY = Kind(503, "UNAVAILABLE", "Too many uploads are on their way; try again.")
UPDATING = Kind(500, "UPDATING", "An error has occurred while updating the TUF repository.")
UNKNOWN = Kind(500, "UNKNOWN", "unknown error")


class ApiError(Exception):
    """One error answer. Its `detail` may be left out, which is not the same as an empty one."""

    def __init__(self, kind: Kind, detail: Any = _ABSENT, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}

    def response(self) -> HttpResponse:
        """Write it as Notary does."""
        error = {"code": self.kind.code, "message": self.kind.message}
        if self.detail is not _ABSENT:
            error["detail"] = self.detail
        body = json.dumps({"errors": [error]}, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            **self.headers,
        }
        return HttpResponse(body, status=self.kind.status, headers=headers)


def of_rejection(error: PublishRejected) -> ApiError:
    """Write a refused update with the name and reason that clients turn into a sentence."""
    inner = {"Msg": error.detail["reason"]}
    if "missing" in error.detail:
        inner = {"Missing": error.detail["missing"], **inner}
    return ApiError(INVALID_UPDATE, {"Name": error.detail["name"], "Error": inner})
