"""Read the multipart body of a publish.

Frameworks keep only what follows the last slash of a file name and limit how many files there are; here the file name
is the role, slashes included. The body is in memory already and goes nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from signing.server.errors import MALFORMED_UPLOAD, NO_FILENAME, TOO_LARGE, ApiError

MOST_PARTS = 5_000
LONGEST_HEADERS = 4_096
LONGEST_BOUNDARY = 70

_CRLF = b"\r\n"
_TOKEN = re.compile(r"[a-z0-9-]+", re.ASCII)
_PARAMETER = re.compile(r';[ \t]*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))[ \t]*', re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_UNENCODED = ("", "binary", "8bit", "7bit")


def read_parts(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Give each part's file name and content, in the order sent.

    Raises:
        ApiError: MALFORMED_UPLOAD or NO_FILENAME, as Notary answers, and TOO_LARGE beyond 5,000 parts.
    """
    for number, part in enumerate(_split(body, _boundary(content_type))):
        if number == MOST_PARTS:
            raise ApiError(TOO_LARGE, f"There are more than {MOST_PARTS} parts.")
        head, separator, content = part.partition(_CRLF * 2)
        if not separator or len(head) > LONGEST_HEADERS:
            raise ApiError(MALFORMED_UPLOAD)
        yield _file_name(head), content


def _boundary(content_type: str) -> bytes:
    kind, parameters = _parameters(content_type)
    boundary = parameters.get("boundary", "")
    if kind != "multipart/form-data" or not 0 < len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise ApiError(MALFORMED_UPLOAD)
    if not boundary.isprintable() or boundary.endswith(" "):
        raise ApiError(MALFORMED_UPLOAD)
    return boundary.encode()


def _split(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Cut the body at its delimiter lines; nothing but an end of line may stand before the first or after the last."""
    body = body if body.startswith(_CRLF) else _CRLF + body
    delimiter = re.compile(rb"\r\n--%b(--)?[ \t]*(?=\r\n|\Z)" % re.escape(boundary))
    previous = delimiter.match(body)
    if previous is None:
        raise ApiError(MALFORMED_UPLOAD)
    for found in delimiter.finditer(body, previous.end()):
        if previous[1]:
            raise ApiError(MALFORMED_UPLOAD)  # more after the last delimiter
        yield body[previous.end() + len(_CRLF) : found.start()]
        previous = found
    if not previous[1] or body[previous.end() :] not in (b"", _CRLF):
        raise ApiError(MALFORMED_UPLOAD)


def _file_name(head: bytes) -> str:
    headers: dict[str, str] = {}
    for line in head.split(_CRLF):
        name, separator, value = line.partition(b":")
        key = name.decode("latin-1").lower()
        if not separator or not _TOKEN.fullmatch(key) or key in headers:
            raise ApiError(MALFORMED_UPLOAD)
        headers[key] = value.decode("utf-8", "replace").strip()
    if headers.get("content-transfer-encoding", "").lower() not in _UNENCODED:
        raise ApiError(MALFORMED_UPLOAD)
    _, parameters = _parameters(headers.get("content-disposition", ""))
    if not (file_name := parameters.get("filename", "")):
        raise ApiError(NO_FILENAME)
    return file_name


def _parameters(header: str) -> tuple[str, dict[str, str]]:
    """Read `kind; name=value; name="value"`; a parameter given twice could mean two roles, so it is refused."""
    kind, semicolon, rest = header.partition(";")
    rest, position, found = semicolon + rest, 0, {}
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None or match[1].lower() in found:
            raise ApiError(MALFORMED_UPLOAD)
        found[match[1].lower()] = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3]
        position = match.end()
    return kind.strip().lower(), found
