"""What the API answers instead of what was asked, in the form and words Notary's clients read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse

from signing.trust.errors import PublishRejected

_ABSENT = object()


@dataclass(frozen=True)
class ApiError(Exception):
    """One error answer. Its `detail` may be left out, which is not the same as an empty one."""

    status: int
    code: str
    message: str
    detail: Any = _ABSENT

    def about(self, detail: Any) -> ApiError:
        """Give the same error with a detail."""
        return replace(self, detail=detail)

    def response(self) -> HttpResponse:
        """Write it as Notary does."""
        error = {"code": self.code, "message": self.message}
        if self.detail is not _ABSENT:
            error["detail"] = self.detail
        body = json.dumps({"errors": [error]}, separators=(",", ":"), ensure_ascii=False) + "\n"
        return HttpResponse(body.encode(), status=self.status, content_type="application/json; charset=utf-8")


MALFORMED_UPLOAD = ApiError(400, "MALFORMED_UPLOAD", "The body of your request is malformed.")
TOO_LARGE = ApiError(413, "MALFORMED_UPLOAD", "The body of your request is too large.")
NO_FILENAME = ApiError(400, "NO_FILENAME", "No file/role name provided.")
INVALID_ROLE = ApiError(400, "INVALID_ROLE", "The role you are attempting to operate on is invalid.")
MALFORMED_JSON = ApiError(400, "MALFORMED_JSON", "JSON sent by the client could not be parsed by the server")
INVALID_UPDATE = ApiError(400, "INVALID_UPDATE", "Update sent by the client is invalid.")
VERSION = ApiError(400, "VERSION", "A newer version of metadata is already available.", {})
INVALID_GUN = ApiError(400, "INVALID_GUN", "The server does not support actions on images of this name.")
INVALID_PARAMETERS = ApiError(400, "INVALID_PARAMETERS", "The parameters provided are not valid.")
METADATA_NOT_FOUND = ApiError(404, "METADATA_NOT_FOUND", "You have requested metadata that does not exist.")
UPDATING = ApiError(500, "UPDATING", "An error has occurred while updating the TUF repository.")
UNKNOWN = ApiError(500, "UNKNOWN", "unknown error")


def of_rejection(error: PublishRejected) -> ApiError:
    """Write a refused update with the name and reason that clients turn into a sentence."""
    inner = {"Msg": error.detail["reason"]}
    if "missing" in error.detail:
        inner = {"Missing": error.detail["missing"], **inner}
    return INVALID_UPDATE.about({"Name": error.detail["name"], "Error": inner})
