"""Answer Notary's read requests from an archive, as its server did on the day it was taken (reference 3.1 to 3.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qs

from signing.trust.errors import MetadataError
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History
from signing.trust.evidence.manifest import StoredFile
from signing.trust.tuf.times import format_time

_ROLE = r"(?P<role>root|targets(?:/[-a-z0-9_]+)*|snapshot|timestamp)"
_FILE = re.compile(
    rf"/v2/(?P<gun>[^*]+)/_trust/tuf/(?:(?P<version>[1-9][0-9]{{0,9}})\.)?{_ROLE}(?:\.(?P<sha256>[0-9a-f]{{64}}))?\.json",
    re.ASCII,
)
_CHANGES = re.compile(r"/v2/(?P<gun>[^*]+)/_trust/changefeed")


class Answer(NamedTuple):
    """What to answer: status, body and its media type."""

    status: int
    body: bytes
    media_type: str = "text/plain; charset=utf-8"


def _error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}, separators=(",", ":")) + "\n"
    return Answer(status, body.encode(), "application/json; charset=utf-8")


NOT_FOUND = _error(404, "METADATA_NOT_FOUND", "You have requested metadata that does not exist.")
READ_ONLY = _error(403, "DENIED", "This is an archive: it can be read only.")
DAMAGED = _error(500, "UNKNOWN", "unknown error")


class ServedArchive:
    """The proven repositories of an archive. The newest state of each is current; everything else is there too."""

    def __init__(self, archive: Archive, histories: Iterable[History]) -> None:
        self._archive = archive
        self._histories = {str(history.gun): history for history in histories if history.last is not None}

    def answer(self, method: str, target: str) -> Answer:
        """Answer one request; `target` is the address as it stands in the request line."""
        if method not in ("GET", "HEAD"):
            return READ_ONLY
        path, _, query = target.partition("?")
        if method == "GET" and path in ("/v2/", "/_notary_server/health"):
            return Answer(200, b"{}", "application/json; charset=utf-8")
        if method == "GET" and (match := _FILE.fullmatch(path)):
            return self._file(match)
        if method == "GET" and (match := _CHANGES.fullmatch(path)):
            return self._changes(match["gun"], query)
        return NOT_FOUND

    def _file(self, match: re.Match[str]) -> Answer:
        history = self._histories.get(match["gun"])
        if history is None or history.last is None or (match["version"] and match["sha256"]):
            return NOT_FOUND
        found = self._found(history, match, history.last.files.get(match["role"]))
        if found is None:
            return NOT_FOUND
        try:
            return Answer(200, self._archive.read(history.gun, found))
        except MetadataError:
            return DAMAGED

    @staticmethod
    def _found(history: History, match: re.Match[str], current: StoredFile | None) -> StoredFile | None:
        if not (match["version"] or match["sha256"]):
            return current
        listed = [file for file in history.record.files if file.role == match["role"]]
        if match["sha256"]:
            return next((file for file in listed if file.sha256 == match["sha256"]), None)
        of_version = sorted(file for file in listed if file.version == int(match["version"]))
        return current if current in of_version else next(iter(of_version), None)

    def _changes(self, gun: str, query: str) -> Answer:
        history = self._histories.get(gun)
        asked = parse_qs(query)
        try:
            most, after = int(asked.get("records", [""])[0]), int(asked.get("change_id", ["0"])[0])
        except ValueError:
            return _error(400, "INVALID_PARAMETERS", "The parameters provided are not valid.")
        if history is None or most < 0 or after < 0:
            return NOT_FOUND
        rows = [row for row in history.record.changes if int(row.number) > after][: most or 100]
        records = [
            {
                "ID": row.number,
                "CreatedAt": format_time(row.at),
                "GUN": gun,
                "Version": row.version,
                "SHA256": row.sha256,
                "Category": row.category,
            }
            for row in rows
        ]
        return Answer(200, json.dumps({"count": len(records), "records": records}, separators=(",", ":")).encode())
