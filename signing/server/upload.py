"""Read the body of a publish: within limits, role by role, never by way of the disk."""

from __future__ import annotations

import contextlib

from django.conf import settings
from django.http import HttpRequest, UnreadablePostError

from signing.server.errors import INVALID_ROLE, INVALID_UPDATE, MALFORMED_UPLOAD, NO_FILENAME, TOO_LARGE, ApiError
from signing.server.multipart import read_parts
from signing.trust.errors import InvalidName
from signing.trust.notary.refusals import BAD_UPDATE
from signing.trust.tuf import roles

LARGEST_UPLOAD = 32 * 1024 * 1024
MOST_DRAINED = 256 * 1024 * 1024
DRAINED_AT_ONCE = 1024 * 1024


def read_update(request: HttpRequest) -> dict[str, bytes]:
    """Give the uploaded files by role.

    Raises:
        ApiError: with whatever is wrong first.
    """
    update: dict[str, bytes] = {}
    for name, data in read_parts(request.META.get("CONTENT_TYPE", ""), _body(request)):
        role = name.removesuffix(".json")
        if not role:
            raise ApiError(NO_FILENAME)
        try:
            roles.check_role_name(role)
        except InvalidName:
            raise ApiError(INVALID_ROLE, role[:80]) from None
        if role in update:
            raise ApiError(INVALID_UPDATE, {"Name": BAD_UPDATE, "Error": {"Msg": f"{role} is in the update twice"}})
        update[role] = data
    return update


def _body(request: HttpRequest) -> bytes:
    """Read the whole body, at most as long as the settings allow; a longer one is thrown away unread."""
    limit = getattr(settings, "TRUST_SERVER_LARGEST_UPLOAD", LARGEST_UPLOAD)
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdecimal() and int(announced) > limit:
        _drain(request)
        raise ApiError(TOO_LARGE, f"The limit is {limit} bytes.")
    try:
        if announced or not request.META.get("wsgi.input_terminated"):
            body = request.read()
        else:  # sent in chunks, whose end the web server knows; Django reads nothing without a length
            body = request.META["wsgi.input"].read(limit + 1)
    except (UnreadablePostError, OSError):
        raise ApiError(MALFORMED_UPLOAD) from None
    if len(body) > limit:
        raise ApiError(TOO_LARGE, f"The limit is {limit} bytes.")
    if announced and str(len(body)) != announced:
        raise ApiError(MALFORMED_UPLOAD)
    return body


def _drain(request: HttpRequest) -> None:
    """Let a client finish sending, within reason: one that is cut off while it sends never reads the answer."""
    with contextlib.suppress(UnreadablePostError):
        for _ in range(MOST_DRAINED // DRAINED_AT_ONCE):
            if not request.read(DRAINED_AT_ONCE):
                return
