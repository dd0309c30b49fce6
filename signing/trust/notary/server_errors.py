"""A trust server's error answers, by name (reference 3.4)."""

from __future__ import annotations

import unicodedata
from typing import Any, NoReturn

import orjson

from signing.trust.errors import (
    BadResponse,
    NotAuthorised,
    PublishRejected,
    ServerUnreachable,
    VersionConflict,
)

LARGEST_ERROR = 64 * 1024
LONGEST_MESSAGE = 500


def plain(text: object) -> str:
    """Make outside text fit for a log or a terminal: no control or formatting characters, not too long."""
    cleaned = "".join(
        " " if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character
        for character in str(text)[: 4 * LONGEST_MESSAGE]
    )
    shortened = " ".join(cleaned.split())
    return shortened if len(shortened) <= LONGEST_MESSAGE else shortened[:LONGEST_MESSAGE] + "..."


def errors_in(body: bytes) -> list[dict[str, Any]] | None:
    """Read the errors of an answer; None if it does not have Notary's shape."""
    try:
        listed = orjson.loads(body)["errors"]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        return None
    return listed


def raise_for(status: int, body: bytes, server: str, *, publishing: bool = False) -> NoReturn:
    """Raise the named error for an answer that is not a success and not a plain "not found"."""
    errors = errors_in(body)
    first = errors[0] if errors else {}
    code, said = plain(first.get("code", "")), explanation(first)
    if status in (401, 403):
        raise NotAuthorised(f"The trust server {server} does not allow this.{_quoted(said)}", status=status)
    if code == "VERSION" or (publishing and code == "UPDATING"):
        # On PostgreSQL notary-server reports two publishers at once as UPDATING.
        raise VersionConflict("Somebody else published in between.")
    if publishing and (400 <= status < 500) and (errors or status == 413):
        raise PublishRejected(f"The trust server {server} refused the update.{_quoted(said)}", status=status, code=code)
    if status >= 500 or status == 429:
        raise ServerUnreachable(f"The trust server {server} cannot answer now: {status}.{_quoted(said)}", status=status)
    raise BadResponse(f"{server} answered {status}, which a Notary v1 server does not.{_quoted(said)}", status=status)


def explanation(error: dict[str, Any]) -> str:
    """Give the most telling text of one error: the validation's own words where there are some."""
    detail = error.get("detail")
    if isinstance(detail, dict) and isinstance(detail.get("Error"), dict) and detail["Error"].get("Msg"):
        return plain(detail["Error"]["Msg"])
    if isinstance(detail, str) and detail:
        return plain(f"{error.get('message', '')} {detail}")
    return plain(error.get("message", ""))


def _quoted(said: str) -> str:
    return f" It says: {said.rstrip('.')}." if said else ""
