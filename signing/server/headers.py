"""The headers of metadata, as Notary sends them."""

from __future__ import annotations

from signing.server.current_files import StoredFile

CURRENT = "public, max-age=300, s-maxage=300, must-revalidate"
CONSISTENT = "public, max-age=2592000, s-maxage=2592000"
TEXT = "text/plain; charset=utf-8"


def headers_of(file: StoredFile, caching: str) -> list[tuple[str, str]]:
    """Give all headers of a file's answer; `caching` is how long it may be kept."""
    modified = f"{file.created_at:%a, %d %b %Y %H:%M:%S} UTC"
    return [
        ("Content-Type", TEXT),
        ("Content-Length", str(len(file.data))),
        ("Cache-Control", caching),
        ("Last-Modified", modified),
    ]
